"""`hybrid-mcp install` and `uninstall`, on homes of their own: what is shown, asked, written and kept."""

from __future__ import annotations

import io
import json
import os
import stat
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, get_args

import pytest

from hybrid_mcp.cli import main
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.install.change import installing
from hybrid_mcp.install.clients import CLIENTS, Client, Platform, locate, locate_in_project
from hybrid_mcp.install.config_file import read_config
from hybrid_mcp.install.entry import Entry, entry_of
from tests.support_e2e import PROGRAM, in_a_terminal

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ENTRY = Entry(command="/opt/bin/hybrid-mcp")
WINDOWS = PureWindowsPath("C:/Users/Ann")
POSIX = PurePosixPath("/home/ann")

Run = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any client, in a project's folder."""
    folder, project = tmp_path / "home", tmp_path / "project"
    folder.mkdir()
    project.mkdir()
    for name in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "APPDATA", "HYBRID_MCP_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.chdir(project)
    return folder


@pytest.fixture
def run(home: Path) -> Run:
    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return run


def cursor(home: Path, text: str) -> Path:
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_bytes(text.encode())
    return path


def beside(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir() if one != path)


@pytest.mark.parametrize("client", get_args(Client))
def test_installed_twice_is_installed_once_and_uninstalled_it_is_gone(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str], client: Client
):
    assert run("install", client, "--yes", "--profile", "conservative", "--airgap") == 0
    [path] = [one for one in home.rglob("*") if one.is_file()]
    first = path.read_bytes()
    loaded: Any = tomllib.loads(first.decode()) if client == "codex" else json.loads(first)
    typed = {"type": "stdio"} if client in {"vscode", "claude-code"} else {}
    expected = {**typed, "command": str(PROGRAM), "args": ["--profile", "conservative", "--airgap"]}
    assert loaded == {CLIENTS[client].key: {"hybrid": expected}}
    assert CLIENTS[client].next_step in capsys.readouterr().out
    assert run("install", client, "--yes", "--airgap", "--profile", "conservative") == 0
    assert "already installed" in capsys.readouterr().out
    assert path.read_bytes() == first
    assert run("uninstall", client, "--yes") == 0
    assert path.read_text(encoding="utf-8").strip() in {"", "{}"}
    assert run("uninstall", client) == 0
    assert "not installed" in capsys.readouterr().out


@pytest.mark.parametrize("client", get_args(Client))
def test_a_project_has_a_file_of_its_own_where_the_client_knows_one(home: Path, run: Run, client: Client):
    code = run("install", client, "--yes", "--scope", "project")
    written = [one.relative_to(Path.cwd()).as_posix() for one in Path.cwd().rglob("*") if one.is_file()]
    assert (code, written) == ((2, []) if CLIENTS[client].project_file is None else (0, [CLIENTS[client].project_file]))
    assert not any(one.is_file() for one in home.rglob("*"))


def test_the_change_is_shown_without_anything_of_others_and_a_dry_run_writes_nothing(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str]
):
    text = (
        '{"mcpServers": {"b": {"env": {"K": "s3cret"}}, "hybrid": {"command": "hybrid-mcp", "env": {"L": "s3cret"}}}}'
    )
    path = cursor(home, text)
    assert run("install", "cursor", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert '-"hybrid": {"command": "hybrid-mcp", "env": {"L": "..."}}' in shown
    assert f'"command": "{PROGRAM}"' in shown
    assert "s3cret" not in shown
    assert (path.read_text(encoding="utf-8"), beside(path)) == (text, [])


def test_without_a_terminal_and_without_yes_nothing_is_written(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run("install", "cursor") == 1
    assert "give --yes" in capsys.readouterr().err
    assert list(home.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
@pytest.mark.parametrize(("answer", "written"), [(b"y\n", True), (b"\n", False)])
def test_the_owner_is_asked_in_a_terminal(home: Path, tmp_path: Path, answer: bytes, written: bool):
    shown = in_a_terminal(tmp_path / "unused", ["install", "cursor"], answer)
    assert "write this? [y/N]" in shown
    assert ("nothing was written" in shown) is not written
    assert (home / ".cursor" / "mcp.json").exists() is written


def test_the_file_as_it_was_is_kept_beside_it_and_no_copy_is_overwritten(home: Path):
    path = cursor(home, '{"mcpServers": {}}')
    for number in range(3):
        file = read_config(path, within=None, new_mode=0o600)
        before, name = (
            path.read_bytes(),
            "mcp.json.20261129T120000Z" + ("" if number == 0 else f"-{number + 1}") + ".bak",
        )
        kept = installing(file, CLIENTS["cursor"], f"n{number}", ENTRY).write(NOON)
        assert kept == path.with_name(name)
        assert path.with_name(name).read_bytes() == before
    assert len(beside(path)) == 3


def test_mode_line_ends_and_byte_order_mark_stay(home: Path, run: Run):
    path = cursor(home, '\ufeff{\r\n\t"a": 1\r\n}\r\n')
    path.chmod(0o640)
    assert run("install", "cursor", "--yes") == 0
    data = path.read_bytes()
    assert data.startswith(b'\xef\xbb\xbf{\r\n\t"a": 1,\r\n\t"mcpServers": {\r\n\t\t"hybrid"')
    assert data.count(b"\n") == data.count(b"\r\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 or os.name == "nt"
    assert run("uninstall", "cursor", "--yes") == 0
    assert path.read_bytes() == b'\xef\xbb\xbf{\r\n\t"a": 1\r\n}\r\n'


def test_a_link_stays_one_and_what_it_leads_to_is_changed(home: Path, run: Run):
    real = home / "dotfiles" / "cursor.json"
    real.parent.mkdir()
    real.write_text("{}", encoding="utf-8")
    path = cursor(home, "")
    path.unlink()
    path.symlink_to(real)
    assert run("install", "cursor", "--yes") == 0
    assert path.is_symlink()
    assert "hybrid" in real.read_text(encoding="utf-8")
    assert beside(path) == []


def test_a_projects_link_to_a_file_elsewhere_is_not_followed(home: Path, run: Run, capsys: pytest.CaptureFixture[str]):
    elsewhere = home / ".claude.json"
    elsewhere.write_text("{}", encoding="utf-8")
    (Path.cwd() / ".mcp.json").symlink_to(elsewhere)
    assert run("install", "claude-code", "--scope", "project", "--yes") == 1
    assert "leads out of the project" in capsys.readouterr().err
    assert elsewhere.read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{\n  "a": 1\n  "b": 2\n}', "mcp.json:3: a comma or } is expected here"),
        (b'{\n"a": "\xff"}', "mcp.json:2: is not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "mcp.json:1: is UTF-16"),
        (b'{"mcpServers": {"hybrid": {"command": "npx", "args": ["other"]}}}', "is another server"),
        (b'{"mcpServers": {"hybrid": {"url": "http://localhost/mcp"}}}', "is another server"),
    ],
)
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_what_cannot_be_changed_safely_is_refused_with_its_place(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str], data: bytes, told: str, command: str
):
    path = cursor(home, "")
    path.write_bytes(data)
    assert run(command, "cursor", "--yes") == 1
    assert told in capsys.readouterr().err
    assert (path.read_bytes(), beside(path)) == (data, [])


def test_a_file_that_is_read_only_or_none_is_refused(home: Path, run: Run, capsys: pytest.CaptureFixture[str]):
    path = cursor(home, "{}")
    path.chmod(0o400)
    assert run("install", "cursor", "--yes") == 1
    path.unlink()
    path.mkdir()
    assert run("install", "cursor", "--yes") == 1
    path.rmdir()
    path.symlink_to(home / "gone.json")
    assert run("install", "cursor", "--yes") == 1
    told = capsys.readouterr().err
    assert [word in told for word in ("read-only", "not a regular file", "a link to a file that does not")] == [
        True
    ] * 3


@pytest.mark.parametrize("before", [None, "{}"])
def test_what_another_program_writes_meanwhile_is_never_lost(home: Path, before: str | None):
    path = cursor(home, before or "")
    if before is None:
        path.unlink()
    change = installing(read_config(path, within=None, new_mode=0o600), CLIENTS["cursor"], "hybrid", ENTRY)
    path.write_text('{"theirs": 1}', encoding="utf-8")
    with pytest.raises(ConfigError, match="changed by another program"):
        change.write(NOON)
    assert (path.read_text(encoding="utf-8"), beside(path)) == ('{"theirs": 1}', [])


@pytest.mark.parametrize("arguments", [["--name", "a b"], ["--name", ""], ["--scope", "all"]])
def test_wrong_usage_is_told_as_such(home: Path, run: Run, arguments: list[str]):
    assert run("install", "cursor", "--yes", *arguments) == 2
    assert list(home.iterdir()) == []


def test_a_profile_that_does_not_exist_is_not_written(home: Path, run: Run, capsys: pytest.CaptureFixture[str]):
    assert run("install", "cursor", "--yes", "--profile", "conservativ") == 1
    assert "did you mean conservative" in capsys.readouterr().err
    own = Path.cwd() / "mine.yaml"
    own.write_text("profile: mine\n", encoding="utf-8")
    assert run("install", "cursor", "--yes", "--profile", "mine.yaml", "--home", "h") == 0
    written: Any = json.loads((home / ".cursor" / "mcp.json").read_text(encoding="utf-8"))
    assert written["mcpServers"]["hybrid"]["args"] == ["--profile", str(own), "--home", str(Path.cwd() / "h")]


PLACES: list[tuple[Client, Platform, PurePath, dict[str, str], str]] = [
    ("claude-desktop", "darwin", POSIX, {}, "/home/ann/Library/Application Support/Claude/claude_desktop_config.json"),
    ("claude-desktop", "win32", WINDOWS, {"APPDATA": r"D:\Data"}, r"D:\Data\Claude\claude_desktop_config.json"),
    ("claude-desktop", "win32", WINDOWS, {}, r"C:\Users\Ann\AppData\Roaming\Claude\claude_desktop_config.json"),
    ("claude-desktop", "linux", POSIX, {}, "/home/ann/.config/Claude/claude_desktop_config.json"),
    ("claude-desktop", "linux", POSIX, {"XDG_CONFIG_HOME": "/x"}, "/x/Claude/claude_desktop_config.json"),
    ("vscode", "linux", POSIX, {"XDG_CONFIG_HOME": "relative"}, "/home/ann/.config/Code/User/mcp.json"),
    ("vscode", "darwin", POSIX, {}, "/home/ann/Library/Application Support/Code/User/mcp.json"),
    ("vscode", "win32", WINDOWS, {"APPDATA": r"D:\Data"}, r"D:\Data\Code\User\mcp.json"),
    ("cursor", "win32", WINDOWS, {"APPDATA": r"D:\Data"}, r"C:\Users\Ann\.cursor\mcp.json"),
    ("windsurf", "darwin", POSIX, {}, "/home/ann/.codeium/windsurf/mcp_config.json"),
    ("claude-code", "linux", POSIX, {}, "/home/ann/.claude.json"),
    ("claude-code", "linux", POSIX, {"CLAUDE_CONFIG_DIR": "/c"}, "/c/.claude.json"),
    ("codex", "win32", WINDOWS, {}, r"C:\Users\Ann\.codex\config.toml"),
    ("codex", "win32", WINDOWS, {"CODEX_HOME": r"E:\codex"}, r"E:\codex\config.toml"),
]


@pytest.mark.parametrize(("client", "platform", "home", "environ", "path"), PLACES)
def test_each_client_keeps_its_file_where_its_platform_does(
    client: Client, platform: Platform, home: PurePath, environ: dict[str, str], path: str
):
    found = locate(client, platform=platform, environ=environ, home=home)
    assert (type(found), str(found)) == (type(home), path)


def test_a_projects_file_lies_in_its_folder():
    assert locate_in_project("vscode", WINDOWS) == WINDOWS / ".vscode" / "mcp.json"
    assert locate_in_project("windsurf", POSIX) is None


@pytest.mark.parametrize(
    ("program", "prefix", "expected"),
    [
        ("/home/ann/.local/bin/hybrid-mcp", "/home/ann/.local/share/uv/tools/hybrid-mcp", None),
        ("/home/ann/.local/bin/hybrid-mcp", "/home/ann/.local/share/pipx/venvs/hybrid-mcp", None),
        ("/w/.venv/bin/hybrid-mcp", "/w/.venv", None),
        ("/c/uv/archive-v0/x1/bin/hybrid-mcp", "/c/uv/archive-v0/x1", ("uvx", "hybrid-mcp", "--airgap")),
        ("/c/uv/environments-v2/x/bin/hybrid-mcp", "/c/uv/environments-v2/x", ("uvx", "hybrid-mcp", "--airgap")),
        ("/h/.cache/pipx/1f/bin/hybrid-mcp", "/h/.cache/pipx/1f", ("pipx", "run", "hybrid-mcp", "--airgap")),
    ],
)
def test_an_installation_that_stays_is_named_and_one_for_a_while_is_made_again(
    program: str, prefix: str, expected: tuple[str, ...] | None
):
    found = entry_of(PurePosixPath(program), PurePosixPath(prefix), ("--airgap",))
    assert (found.command, *found.args) == (expected or (program, "--airgap"))
