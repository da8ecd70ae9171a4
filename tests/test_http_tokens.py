"""The tokens of HTTP clients: shown once, kept as digests, added and revoked without losing any."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from hybrid_mcp.cli import main
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.bearer import digest_of, holder
from hybrid_mcp.domain.errors import ConfigError, HybridError
from hybrid_mcp.http.options import HttpOptions
from hybrid_mcp.http.running import web_server
from hybrid_mcp.storage.token_file import LiveTokens, TokenFile
from tests.support_http import new_token

TAKEN = "a token named laptop is there already: take another name, or first run `hybrid-mcp token revoke laptop`"
ROW = {"id": "token-000000000000", "name": "a", "sha256": 64 * "0", "created": "2026-11-20T00:00:00+00:00"}
BROKEN = [
    "", "{", "[]", '{"tokens": {}}', '{"tokens": [7]}', "[" * 100_000, "\ud800",
    *(json.dumps({"tokens": rows}) for rows in (
        [ROW, ROW], [{**ROW, "sha256": "zz"}], [{**ROW, "created": "today"}], [{**ROW, "created": "2026-11-20"}],
        [{**ROW, "more": "x"}], [{**ROW, "id": "laptop"}], [{"id": ROW["id"], "name": "a"}],
    )),
]  # fmt: skip

Tokens = Callable[..., tuple[int, str, str]]


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tokens:
    """Runs `hybrid-mcp token ...`; gives its exit code, stdout and stderr."""
    monkeypatch.setenv("HYBRID_MCP_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["token", *arguments])
        out, err = capsys.readouterr()
        return cast("int", ended.value.code), out, err

    return run


def test_a_token_is_printed_once_and_only_its_digest_is_kept(tmp_path: Path, token: Tokens):
    code, out, err = token("add", "laptop")
    made = out.strip()
    assert code == 0
    assert made.startswith("hmcp_")
    assert len(made) >= len("hmcp_") + 43  # 256 bits
    kept = (tmp_path / "tokens.json").read_text(encoding="utf-8")
    assert made not in kept + err
    assert digest_of(made) in kept
    assert token("list")[1].split()[:4] == ["name", "id", "created", "laptop"]


def test_the_list_as_json_holds_no_digest(token: Tokens):
    assert token("list", "--json") == (0, "[]\n", "")
    made = token("add", "ci")[1].strip()
    code, out, _ = token("list", "--json")
    [row] = json.loads(out)
    assert (code, row["name"], set(row)) == (0, "ci", {"name", "id", "created"})
    assert digest_of(made) not in out


def test_a_doubled_name_a_wrong_one_and_one_that_is_not_there_are_errors(token: Tokens):
    token("add", "laptop")
    code, _, err = token("add", "laptop")
    assert (code, err) == (1, f"hybrid-mcp: {TAKEN}\n")
    for name in ("a/b", "", "x" * 65, "né", ".hidden"):
        code, out, err = token("add", name)
        assert (code, out) == (1, "")
        assert "cannot be the name of a token" in err
    code, _, err = token("revoke", "nobody")
    assert code == 1
    assert "no token named 'nobody'" in err


def test_a_revoked_token_is_gone_and_a_new_one_of_its_name_is_another_client(tmp_path: Path, token: Tokens):
    first = token("add", "laptop")[1].strip()
    live = LiveTokens(tmp_path / "tokens.json")
    before = holder(first, live())
    assert before is not None
    assert token("revoke", "laptop") == (0, "revoked: laptop is let in no more\n", "")
    assert holder(first, live()) is None
    second = token("add", "laptop")[1].strip()
    after = holder(second, live())
    assert after is not None
    assert (after.name, after.id != before.id) == ("laptop", True)
    assert holder(first, live()) is None


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_an_error_that_names_it_and_stays_as_it_is(tmp_path: Path, text: str, token: Tokens):
    path = tmp_path / "tokens.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for arguments in (("list",), ("add", "b"), ("revoke", "a")):
        code, out, err = token(*arguments)
        assert (code, out) == (1, "")
        assert str(path) in err
    with pytest.raises(ConfigError):
        LiveTokens(path)()
    assert path.read_bytes() == text.encode("utf-8", "surrogatepass")


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_only_the_owner_may_read_the_file_and_one_that_all_may_write_lets_nobody_in(tmp_path: Path):
    new_token(tmp_path)
    path = tmp_path / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="chmod o-w"):
        LiveTokens(path)()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    new_token(tmp_path / "elsewhere")
    (tmp_path / "tokens.json").symlink_to(tmp_path / "elsewhere" / "tokens.json")
    with pytest.raises(ConfigError, match="is a link"):
        LiveTokens(tmp_path / "tokens.json")()


def test_tokens_that_are_made_at_the_same_time_are_all_kept(tmp_path: Path):
    names = [f"client-{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(partial(new_token, tmp_path), names))
        kept = TokenFile(path=tmp_path / "tokens.json").tokens()
        assert {one.name for one in kept} == set(names)
        assert [found.name for one in made if (found := holder(one, kept))] == names
        revoked = list(pool.map(TokenFile(path=tmp_path / "tokens.json").revoke, names[:6]))
    assert [one.name for one in revoked] == names[:6]
    assert [one.name for one in TokenFile(path=tmp_path / "tokens.json").tokens() if one.name in names[:6]] == []
    assert len(TokenFile(path=tmp_path / "tokens.json").tokens()) == 6


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(HybridError):
        new_token(tmp_path / "home")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serve", "--http", "--host", "192.0.2.1"], "give --tls-cert and --tls-key, or --behind-proxy"),
        (["serve", "--port", "9000"], "add --http"),
    ],
)
def test_what_would_not_be_safe_or_would_be_lost_is_wrong_usage(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_broken_token_file_is_told_before_anything_is_served(tmp_path: Path):
    (tmp_path / "tokens.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not JSON"):
        web_server(load_settings(environ={}, home=tmp_path), HttpOptions(port=0), lambda: pytest.fail("opened"))
