"""The commands `install` and `uninstall`: this server in the configuration of an MCP client."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App as Cli
from cyclopts import Parameter

from hybrid_mcp.arguments import Given, WrongUsage
from hybrid_mcp.config.home import find_home
from hybrid_mcp.config.profile_lookup import find_profile
from hybrid_mcp.config.text_file import named
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.install.change import Change, installing, uninstalling
from hybrid_mcp.install.clients import CLIENTS, Client, Platform, Scope, locate, locate_in_project
from hybrid_mcp.install.config_file import ConfigFile, read_config
from hybrid_mcp.install.entry import PROGRAM, Entry, entry_of
from hybrid_mcp.launch import OK, Common
from hybrid_mcp.terminal import tame

Yes = Annotated[bool, Parameter(name="--yes", negative="", help="Do not ask.")]
DryRun = Annotated[bool, Parameter(name="--dry-run", negative="", help="Show the change and write nothing.")]
In = Annotated[Scope, Parameter(help="`user`: for you, everywhere. `project`: in this folder alone.")]
Name = Annotated[str, Parameter(help="What the client calls the server.")]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What every client takes for a name; none of these characters needs quotes."""


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""

    @cli.command
    def install(
        client: Client, /, *, scope: In = "user", name: Name = "hybrid", dry_run: DryRun = False, yes: Yes = False
    ) -> int:
        """Add this server to a client's configuration; the change is shown first.

        --profile, --home, --project and --airgap are written into it too. A key never is.
        """
        entry = this_entry(_options(common.value))
        change = installing(_file(client, scope), CLIENTS[client], _checked(name), entry)
        _tell_shared(client, scope, entry)
        return _carried_out(change, client, "install", dry_run=dry_run, yes=yes)

    @cli.command
    def uninstall(
        client: Client, /, *, scope: In = "user", name: Name = "hybrid", dry_run: DryRun = False, yes: Yes = False
    ) -> int:
        """Take this server out of a client's configuration; the change is shown first."""
        change = uninstalling(_file(client, scope), CLIENTS[client], _checked(name))
        return _carried_out(change, client, "uninstall", dry_run=dry_run, yes=yes)


def this_entry(options: tuple[str, ...]) -> Entry:
    """How a client starts the installation that runs now."""
    beside = Path(sys.executable).with_name(PROGRAM + (".exe" if sys.platform == "win32" else ""))
    started = Path(sys.argv[0]).absolute()
    found = [path for path in (started, beside) if path.stem == PROGRAM and path.exists()]
    program, python = (found[0], None) if found else (beside, Path(sys.executable))
    return entry_of(program, Path(sys.prefix), options, python)


def _options(common: Common) -> tuple[str, ...]:
    """The shared options as the server gets them, which a client starts in a folder of its own choice.

    Raises:
        ConfigError: there is no such profile.
    """
    options: list[str] = []
    if common.profile is not None:
        path = find_profile(common.profile, find_home(common.home or os.environ.get("HYBRID_MCP_HOME") or None))
        is_name = path.stem == common.profile
        options += ["--profile", common.profile if is_name else str(path.absolute())]
    if common.home is not None:
        options += ["--home", str(find_home(common.home))]
    if common.project is not None:
        options += ["--project", common.project]
    return (*options, "--airgap") if common.airgap else tuple(options)


def _file(client: Client, scope: Scope) -> ConfigFile:
    if scope == "user":
        path = locate(client, platform=_platform(), environ=os.environ, home=Path.home())
        return read_config(Path(path), within=None, new_mode=0o600)
    folder = Path.cwd()
    path = locate_in_project(client, folder)
    if path is None:
        raise WrongUsage(f"{CLIENTS[client].title} has no configuration for a project; leave --scope out")
    return read_config(Path(path), within=folder, new_mode=0o644)


def _platform() -> Platform:
    platforms: dict[str, Literal["darwin", "win32"]] = {"darwin": "darwin", "win32": "win32"}
    return platforms.get(sys.platform, "linux")


def _checked(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise WrongUsage("--name: take letters, digits, - and _, at most 64")


def _tell_shared(client: Client, scope: Scope, entry: Entry) -> None:
    if scope == "project" and Path(entry.command).is_absolute():
        sys.stderr.write(
            "hybrid-mcp: the entry holds a path of this machine; where others share the project's file, "
            f"`uvx {PROGRAM} install {client} --scope project` writes one that works for all\n"
        )


def _carried_out(change: Change, client: Client, command: str, *, dry_run: bool, yes: bool) -> int:
    title, place = CLIENTS[client].title, named(change.file.target)
    if change.kind == "nothing":
        print(f"{'already installed' if command == 'install' else 'not installed'} in {title}: {place}")
        return OK
    print(tame(change.diff, sys.stdout))
    if dry_run:
        print("dry run: nothing was written")
        return OK
    if not (yes or _agreed(command)):
        print("nothing was written")
        return OK
    kept = change.write(datetime.now(UTC))
    print(f"written: {place}" + (f"; the file as it was: {named(kept)}" if kept else ""))
    print(f"next: {CLIENTS[client].next_step}")
    if command == "install":
        print(f"API keys stay out of this file: `{PROGRAM} doctor` tells which are missing, and where they go")
    return OK


def _agreed(command: str) -> bool:
    if not sys.stdin.isatty():
        raise HybridError(f"{command} asks before it writes: run it in a terminal, or give --yes. Nothing was written")
    try:
        return input("write this? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
