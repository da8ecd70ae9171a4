"""What an agent or a far model writes, on the owner's terminal, through the installed program."""

from __future__ import annotations

import os
import pty
import subprocess
from itertools import takewhile
from pathlib import Path

import pytest

from tests.e2e.test_nothing_is_told import paid_home
from tests.support_e2e import environment, program, session
from tests.support_servers import FakeServer, openai_chunk, openai_reply, reply_always

HOSTILE = "Hi\x1b]52;c;eHg=\x07 \x1b[2Jthere\x9b0m"
USAGE: dict[str, object] = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}}


def on_a_terminal(home: Path, *arguments: str, typed: bytes = b"") -> str:
    """What 80 columns show, with each of their rows as a line."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [program(), *arguments], env=environment(home, FAKE_KEY="k", COLUMNS="80"),
        stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, typed)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        # Linux says so when the other end is closed.
        pass
    process.wait(60)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("pieces", [[HOSTILE], list(HOSTILE)], ids=["whole", "streamed"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_answer_gives_the_terminal_no_orders(tmp_path: Path, pieces: list[str], options: list[str]):
    reply = openai_reply(*map(openai_chunk, pieces), openai_chunk(None, "stop"), USAGE)
    with FakeServer(reply_always(reply)) as server:
        home = paid_home(tmp_path, server)
        shown = on_a_terminal(home, "ask", "Greet me", "--force-cloud", "--profile", "paid", *options)
    assert "there" in shown
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)


@pytest.mark.anyio
async def test_a_padded_reason_does_not_fake_another_question(tmp_path: Path):
    fake = "tidy up".ljust(50) + "".join(
        row.ljust(80)
        for row in ("  asks for cloud_apis: api.openai.com", "  this opens: nothing new", "  allow? [y/N] y", "  done")
    )
    with FakeServer(reply_always(openai_reply(openai_chunk("x")))) as server:
        home = paid_home(tmp_path, server)
    async with session(home, "--profile", "paid") as mcp:
        wish = {"resource_type": "domains", "resource_name": "evil.example.org", "reason": fake}
        asked = (await mcp.call_tool("add_to_whitelist", wish)).structured_content
    assert asked is not None
    rows = on_a_terminal(home, "approve", typed=b"\n").split("\n")
    start = next(number for number, row in enumerate(rows) if row.startswith(asked["approval_id"]))
    assert rows[start] == f"{asked['approval_id']}: domains: evil.example.org"
    assert rows[start + 1].startswith("  this opens: requests, with their prompts, may be sent to evil.example.org")
    theirs = list(takewhile(lambda row: row.startswith("  | "), rows[start + 3 :]))
    assert "tidy up asks for cloud_apis" in theirs[1]
    assert max(map(len, theirs)) < 80
    # Python asks on stderr, which is not looked at here.
    assert rows[start + 3 + len(theirs)] == "  refused"
