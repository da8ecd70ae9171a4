"""The command `models calibrate`: a threshold of confidence for a local model that nobody has measured."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from cyclopts import App as Cli

from hybrid_mcp.app import App, embedded_model
from hybrid_mcp.arguments import Given, Json, WrongUsage
from hybrid_mcp.calibrating import Calibrating, load_questions, without_threshold
from hybrid_mcp.domain.calibration import Calibrated, Calibration
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.launch import INTERRUPTED, OK, REFUSED, Common
from hybrid_mcp.tables import print_table
from hybrid_mcp.terminal import TerminalProgress, tame


def add(cli: Cli, common: Given) -> None:
    """Add the command to those around models."""

    @cli["models"].command
    def calibrate(*models: str, forget: str | None = None, as_json: Json = False) -> int:
        """Ask local models 80 questions to find out below which confidence their answers are to be doubted.

        Without a name: all local models that are here. It costs nothing, and takes a model about a minute or more.

        Parameters
        ----------
        models
            Which ones, as provider:model.
        forget
            A model whose threshold is taken away; nothing is asked.
        """
        if forget is not None:
            if models:
                raise WrongUsage("--forget takes one model, and calibrates none: run the command once for each")
            return _forget(common.value, forget, as_json=as_json)
        try:
            return common.value.with_app(lambda app: _calibrate(app, models, as_json=as_json))
        except KeyboardInterrupt:
            sys.stderr.write("hybrid-mcp: broken off; only models that were done before have a new threshold\n")
            return INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What came out for one model. `note`: why it has no threshold. `error`: why it could not be measured, or what was
    measured could not be kept."""

    model: str
    asked: int | None = None
    right: int | None = None
    auc: float | None = None
    threshold: float | None = None
    doubted_right: float | None = None
    doubted_wrong: float | None = None
    note: str | None = None
    error: str | None = None


def _forget(common: Common, model: str, *, as_json: bool) -> int:
    file = common.settings().confidence_file
    kept = file.calibrated()
    if model not in kept:
        near = difflib.get_close_matches(model, kept, n=3, cutoff=0.4) or sorted(kept)
        there = f"there are those of {', '.join(near)}" if near else "there is none"
        raise HybridError(f"no threshold of {model[:80]!r} was calibrated: {there}")
    file.put(model, None)
    if as_json:
        print(json.dumps({"model": model, "threshold": None}, ensure_ascii=False))
    else:
        print(f"forgotten: the threshold {kept[model].threshold:.2f} of {model}")
    return OK


async def _calibrate(app: App, names: Sequence[str], *, as_json: bool) -> int:
    app.settings.confidence_file.calibrated()  # a broken one is told before anything is asked
    calibrating = Calibrating(
        profile=app.settings.profile,
        whitelist=app.whitelist,
        candidates=app.service.candidates,
        catalog=app.catalog,
        questions=load_questions(),
    )
    specs = await calibrating.named(names) if names else await _all_here(app, calibrating)
    app.settings.confidence_file.try_writing()  # what takes minutes to measure is not to be lost
    progress = TerminalProgress(stream=False, on_gone=lambda: None)
    try:
        rows = [await _measured(app, calibrating, spec, progress) for spec in specs]
    finally:
        progress.clear()
    _print(app, rows, as_json=as_json)
    return REFUSED if any(row.error for row in rows) else OK


async def _all_here(app: App, calibrating: Calibrating) -> list[ModelSpec]:
    """The embedded model only where its file is here: nobody has asked for 98 MB."""
    specs, left_out = await calibrating.all_local()
    for one in left_out:
        sys.stderr.write(f"hybrid-mcp: {one.model} is left out: {one.reason}\n")
    embedded = embedded_model(app)
    is_here = embedded is not None and embedded.state() == "present"
    here = [spec for spec in specs if spec.provider.kind != "embedded" or is_here]
    if not here:
        raise HybridError(
            "no local model is here to calibrate: start its server, or fetch the embedded one with `hybrid-mcp models "
            "pull`; `hybrid-mcp doctor` says what is found"
        )
    return here


async def _measured(app: App, calibrating: Calibrating, spec: ModelSpec, progress: TerminalProgress) -> _Row:
    try:
        found = await calibrating.measure(spec, progress)
    except HybridError as error:
        return _Row(model=spec.name, error=_told(error, progress))
    row = _row(spec, found)
    try:
        before = app.settings.confidence_file.put(spec.name, _to_keep(app, found))
    except HybridError as error:
        return replace(row, error=_told(error, progress))
    return row if before is None else _row(replace(spec, confidence_floor=None), found)


def _told(error: HybridError, progress: TerminalProgress) -> str:
    progress.clear()
    sys.stderr.write(f"hybrid-mcp: {tame(str(error), sys.stderr)}\n")
    return str(error)


def _row(spec: ModelSpec, found: Calibration | None) -> _Row:
    note = without_threshold(found, spec)
    if found is None:
        return _Row(model=spec.name, note=note)
    return _Row(
        model=spec.name, asked=found.asked, right=found.right, auc=found.auc, threshold=found.threshold,
        doubted_right=found.doubted_right, doubted_wrong=found.doubted_wrong, note=note,
    )  # fmt: skip


def _to_keep(app: App, found: Calibration | None) -> Calibrated | None:
    """None where it has no threshold: an older one was of what the model was then."""
    if found is None or found.threshold is None or found.auc is None:
        return None
    return Calibrated(
        threshold=found.threshold, asked=found.asked, right=found.right, auc=found.auc, at=app.service.clock.now()
    )


def _print(app: App, rows: Sequence[_Row], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    headings = ("model", "right", "auc", "threshold", "doubted of right", "doubted of wrong")
    print_table(headings, [_cells(row) for row in rows])
    for row in rows:
        if row.note is not None:
            print(f"{row.model} has no new threshold: {row.note}")
    if any(row.threshold is not None and row.error is None for row in rows):
        path = app.settings.confidence_file.path
        print(f"kept in {path}; servers that are running now take it when they are started again")


def _cells(row: _Row) -> tuple[str | None, ...]:
    right = None if row.asked is None else f"{row.right} of {row.asked}"
    numbers = [None if one is None else f"{one:.2f}" for one in (row.auc, row.threshold)]
    shares = [None if one is None else f"{one:.0%}" for one in (row.doubted_right, row.doubted_wrong)]
    return (row.model, right, *numbers, *shares)
