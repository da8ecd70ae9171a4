"""The commands behind `hybrid-mcp`: the parser, and the options that all of them share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, cast

from cyclopts import App as Cli
from cyclopts import CycloptsError, Parameter

from hybrid_mcp import (
    __version__,
    commands_asking,
    commands_calibrate,
    commands_install,
    commands_lists,
    commands_money,
    commands_owner,
    commands_scorer,
    commands_serve,
    commands_token,
)
from hybrid_mcp.arguments import STDIN, Given, WrongUsage
from hybrid_mcp.launch import OK, WRONG_USAGE, Common, serve


def parse_and_run(arguments: list[str]) -> int:
    """Parse, run, and return the exit code."""
    cli = parser()
    given = [STDIN if argument == "-" else argument for argument in arguments]
    try:
        result = cli.meta(given, exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return WRONG_USAGE
    except WrongUsage as error:
        sys.stderr.write(f"hybrid-mcp: {error}\n")
        return WRONG_USAGE
    return result if isinstance(result, int) else OK


def parser() -> Cli:
    """All commands; its `meta` takes the options that they share."""
    cli = Cli(
        name="hybrid-mcp", version=__version__, result_action="return_value", suppress_keyboard_interrupt=False,
        help="Answer a sub-task with the cheapest model that can do it. Without a command: serve MCP over stdio.",
    )  # fmt: skip
    common = Given()

    @cli.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        profile: str | None = None,
        home: Path | None = None,
        project: str | None = None,
        airgap: Annotated[bool, Parameter(negative="")] = False,
    ) -> int:
        """Take the options that every command shares.

        Parameters
        ----------
        profile
            A profile's name or the path of its YAML file (HYBRID_MCP_PROFILE).
        home
            The home folder: whitelist, ledger, models (HYBRID_MCP_HOME).
        project
            Whose project_budget is spent: a folder or a name (HYBRID_MCP_PROJECT); by default the folder of the start.
        airgap
            Contact nothing but this machine.
        """
        common.value = Common(profile=profile, home=home, project=project, airgap=airgap)
        if not tokens:
            return serve(common.value)
        return cast("int", cli(list(tokens), exit_on_error=False, result_action="return_value"))

    commands_serve.add(cli, common)
    commands_asking.add(cli, common)
    commands_money.add(cli, common)
    commands_owner.add(cli, common)
    commands_lists.add(cli, common)
    commands_calibrate.add(cli, common)
    commands_scorer.add(cli, common)
    commands_install.add(cli, common)
    commands_token.add(cli, common)
    return cli
