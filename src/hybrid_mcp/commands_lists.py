"""The commands around lists: `models`, `models pull`, `models unblock`, `profiles`, `profiles check`."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import Literal

from cyclopts import App as Cli

from hybrid_mcp.app import App, embedded_model
from hybrid_mcp.arguments import Given, Json, limit
from hybrid_mcp.config import check_profile, list_profiles
from hybrid_mcp.domain.budget import Caps, Overbilled
from hybrid_mcp.domain.errors import ConfigError, HybridError, StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.launch import OK
from hybrid_mcp.tables import print_table


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""
    _add_models(cli, common)
    _add_profiles(cli, common)


def _add_models(cli: Cli, common: Given) -> None:
    models = Cli(
        name="models",
        help="List the models that may be used, fetch the embedded one, calibrate local ones, or let a blocked one be "
        "paid.",
    )
    cli.command(models)

    @models.default
    def list_models(*, as_json: Json = False) -> int:
        return common.value.with_app(lambda app: _models(app, as_json=as_json))

    @models.command
    def pull(name: Literal["smollm2"] = "smollm2", /) -> int:
        """Fetch an embedded model now instead of on first use."""
        return common.value.with_app(lambda app: _pull(app, name))

    @models.command
    def unblock(name: str, /, *, billed: str | None = None) -> int:
        """Let a model be paid again that had charged more than was set aside for a call.

        Parameters
        ----------
        billed
            What the provider's own bill says for that call, in dollars: what was charged above it is taken back. It can
            also be told after the model was unblocked, until it is blocked again.
        """
        told = limit("--billed", billed)
        return common.value.with_app(lambda app: _unblock(app, name, told))


def _add_profiles(cli: Cli, common: Given) -> None:
    profiles = Cli(name="profiles", help="List profiles, or check a profile's file.")
    cli.command(profiles)

    @profiles.default
    def list_all() -> int:
        settings = common.value.settings()
        print_table(("profile", "file"), [(entry.name, entry.path) for entry in list_profiles(settings.home)])
        return OK

    @profiles.command(name="check")
    def check_file(path: Path, /) -> int:
        """Read a profile's file and say what is wrong with it."""
        loaded = check_profile(path)
        for notice in loaded.notices:
            print(notice)
        print(f"{path}: the profile {loaded.profile.name} can be used")
        return OK


async def _models(app: App, *, as_json: bool) -> int:
    from hybrid_mcp.resources import model_rows

    rows = await model_rows(app)
    if as_json:
        print(json.dumps(rows))
        return OK
    if rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        print("no model: run `hybrid-mcp doctor`")
    try:
        for blocked in (await _blocked(app)).values():
            print(f"blocked: {blocked}")
    except StorageError as error:
        sys.stderr.write(f"hybrid-mcp: no model can be paid, because {error}\n")
    return OK


async def _pull(app: App, name: str) -> int:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    model = embedded_model(app)
    if model is None:
        raise ConfigError("this profile does not use the embedded model: list embedded:smollm2 in its local_models")
    if (reason := model.unavailable_reason()) is not None:
        raise ConfigError(reason)
    if model.state() == "present":
        print(f"{name} is here already")
        return OK
    with Progress(TextColumn(name), BarColumn(), DownloadColumn()) as bar:
        task = bar.add_task(name)
        path = await model.pull(lambda done, total: bar.update(task, completed=done, total=total))
    print(f"{name} is ready: {path}")
    return OK


async def _unblock(app: App, name: str, billed: Usd | None) -> int:
    found = await app.ledger.unblock(name, billed)
    if found is None:
        raise HybridError(f"{name[:80]!r} is not blocked: {_near(name, list(await _blocked(app)))}")
    print(f"unblocked: {name} may be paid again (it had {found.what})")
    if billed is None:
        print(
            f"{found.cost} stays charged to the budget. Where the provider's own bill says less: hybrid-mcp models "
            f"unblock {name} --billed USD"
        )
    else:
        print(f"corrected: {billed} is charged to the budget for that, and {found.cost.minus(billed)} is taken back")
    return OK


def _near(name: str, blocked: list[str]) -> str:
    if not blocked:
        return "no model is"
    near = difflib.get_close_matches(name, blocked, n=3, cutoff=0.4)
    return f"did you mean {' or '.join(near)}?" if near else f"blocked are {', '.join(blocked)}"


async def _blocked(app: App) -> dict[str, Overbilled]:
    return dict((await app.ledger.view(Caps(), app.account)).blocked)
