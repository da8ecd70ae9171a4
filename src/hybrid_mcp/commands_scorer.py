"""The commands around what the scorer has learned: `scorer status`, `scorer reset`, `scorer replay`."""

from __future__ import annotations

import json

from cyclopts import App as Cli

from hybrid_mcp.app import OUTCOMES_FILE, App
from hybrid_mcp.arguments import Given, Json
from hybrid_mcp.domain.learning import limit
from hybrid_mcp.domain.learning_quality import Quality, prequential
from hybrid_mcp.launch import OK
from hybrid_mcp.tables import print_table

HOW_TO_RESET = "hybrid-mcp scorer reset"


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""
    scorer = Cli(name="scorer", help="Show, forget or relearn what the scorer has learned from your own outcomes.")
    cli.command(scorer)

    @scorer.command
    def status(*, as_json: Json = False) -> int:
        """Show what was learned, how far it moves the score, and whether that is any better."""
        return common.value.with_app(lambda app: _status(app, as_json=as_json))

    @scorer.command
    def reset() -> int:
        """Forget everything that was learned. Nothing is asked."""
        return common.value.with_app(_reset)

    @scorer.command
    def replay(*, as_json: Json = False) -> int:
        """Learn everything anew from the outcomes that are kept, and tell how well each was foretold."""
        return common.value.with_app(lambda app: _replay(app, as_json=as_json))


async def _status(app: App, *, as_json: bool) -> int:
    learned = await app.outcomes.learned()
    quality = prequential(await app.outcomes.log())
    evidence = learned.outcomes if learned is not None else 0.0
    rows: list[tuple[str, float | int | str | None]] = [
        *_rows(quality),
        ("evidence", round(evidence, 1)),
        ("most_hundredths", round(limit(evidence), 1)),
        ("file", str(app.settings.home / OUTCOMES_FILE)),
        ("reset", HOW_TO_RESET),
    ]
    _print(rows, as_json=as_json)
    return OK


async def _reset(app: App) -> int:
    count = await app.outcomes.reset()
    print(f"forgotten: {count} outcomes of {app.settings.home / OUTCOMES_FILE}; scores are as they come again")
    return OK


async def _replay(app: App, *, as_json: bool) -> int:
    was_right = await app.outcomes.relearn()
    told = "the same as was known" if was_right else "corrected: it was not what the outcomes say"
    _print([*_rows(prequential(await app.outcomes.log())), ("learned", told)], as_json=as_json)
    return OK


def _rows(quality: Quality) -> list[tuple[str, float | int | str | None]]:
    return [
        ("reports", quality.reports),
        ("paid_reports", quality.paid),
        ("verdicts", quality.verdicts),
        ("failed", quality.failed),
        ("auc_before", _rounded(quality.ranked_before)),
        ("auc_after", _rounded(quality.ranked_after)),
        ("log_loss_before", _rounded(quality.loss_before)),
        ("log_loss_after", _rounded(quality.loss_after)),
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _print(rows: list[tuple[str, float | int | str | None]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(dict(rows)))
    else:
        print_table(("what", "value"), [(name.replace("_", " "), _cell(value)) for name, value in rows])


def _cell(value: float | str | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
