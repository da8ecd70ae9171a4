"""The clients that can be installed into as rows of data: which file, which key, what to do afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Literal

Client = Literal["claude-desktop", "claude-code", "cursor", "vscode", "windsurf", "codex"]
Scope = Literal["user", "project"]
Platform = Literal["linux", "darwin", "win32"]
Root = Literal["home", "config"]
"""`config`: where programs of this platform keep their settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a client writes down its servers. `typed`: an entry also says `"type": "stdio"`."""

    title: str
    form: Literal["json", "toml"] = "json"
    key: str = "mcpServers"
    typed: bool = False
    root: Root = "home"
    user_file: str
    project_file: str | None = None
    home_variable: str | None = None
    moved_file: str = ""
    next_step: str


_ROWS: dict[Client, Dialect] = {
    "claude-desktop": Dialect(
        title="Claude Desktop", root="config", user_file="Claude/claude_desktop_config.json",
        next_step="quit Claude Desktop (closing its window is not enough) and start it again",
    ),
    "claude-code": Dialect(
        title="Claude Code", typed=True, user_file=".claude.json", project_file=".mcp.json",
        home_variable="CLAUDE_CONFIG_DIR", moved_file=".claude.json",
        next_step="start `claude` anew; /mcp lists the server",
    ),
    "cursor": Dialect(
        title="Cursor", user_file=".cursor/mcp.json", project_file=".cursor/mcp.json",
        next_step="turn the server on in Cursor's settings under MCP",
    ),
    "vscode": Dialect(
        title="VS Code", key="servers", typed=True, root="config", user_file="Code/User/mcp.json",
        project_file=".vscode/mcp.json",
        next_step="run `MCP: List Servers` in VS Code and start it",
    ),
    "windsurf": Dialect(
        title="Windsurf", user_file=".codeium/windsurf/mcp_config.json",
        next_step="press the refresh button of Windsurf's MCP panel, or start Windsurf again",
    ),
    "codex": Dialect(
        title="Codex", form="toml", key="mcp_servers", user_file=".codex/config.toml",
        project_file=".codex/config.toml", home_variable="CODEX_HOME", moved_file="config.toml",
        next_step="start `codex` anew; /mcp lists the server",
    ),
}  # fmt: skip

CLIENTS: Mapping[Client, Dialect] = MappingProxyType(_ROWS)
"""`home_variable` names a folder that takes the place of the usual one, in which the file is called `moved_file`."""


def locate(client: Client, *, platform: Platform, environ: Mapping[str, str], home: PurePath) -> PurePath:
    """The file in which a client keeps the servers of its user. `home` also says of which kind all paths are."""
    dialect = CLIENTS[client]
    moved = _absolute(environ, dialect.home_variable, home)
    if moved is not None:
        return moved / dialect.moved_file
    root = home if dialect.root == "home" else _settings_folder(platform, environ, home)
    return root / dialect.user_file


def locate_in_project(client: Client, folder: PurePath) -> PurePath | None:
    """The same for one project; None where a client has no such file."""
    name = CLIENTS[client].project_file
    return None if name is None else folder / name


def _settings_folder(platform: Platform, environ: Mapping[str, str], home: PurePath) -> PurePath:
    match platform:
        case "darwin":
            return home / "Library" / "Application Support"
        case "win32":
            return _absolute(environ, "APPDATA", home) or home / "AppData" / "Roaming"
        case "linux":
            return _absolute(environ, "XDG_CONFIG_HOME", home) or home / ".config"


def _absolute(environ: Mapping[str, str], name: str | None, home: PurePath) -> PurePath | None:
    """A relative path counts as none, as the XDG base directory specification demands."""
    given = environ.get(name, "") if name else ""
    path = type(home)(given) if given else None
    return path if path is not None and path.is_absolute() else None
