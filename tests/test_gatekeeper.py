from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from filelock import FileLock

from hybrid_mcp.config import LiveWhitelist, add_entry
from hybrid_mcp.domain.errors import InvalidRequest, StorageError
from hybrid_mcp.domain.profile import ApprovalMode
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.gatekeeper import (
    DIALOGS_WITHIN_S,
    HOW_IN_SPITE_OF_A_NO,
    MAX_DIALOGS,
    MAX_PENDING,
    Dialogs,
    Gatekeeper,
    Requested,
    what_it_opens,
)
from hybrid_mcp.ports import ApprovalRequest
from hybrid_mcp.storage import approvals
from hybrid_mcp.storage.approvals import PENDING_FOR, REFUSED_FOR, AuditTrail
from tests.support_service import StillClock

pytestmark = pytest.mark.anyio


def trail(tmp_path: Path, clock: StillClock | None = None) -> AuditTrail:
    return AuditTrail(path=tmp_path / "audit.jsonl", clock=clock or StillClock())


def keeper(
    book: AuditTrail, mode: ApprovalMode = "ask", *, home: Path | None = None, clock: StillClock | None = None
) -> Gatekeeper:
    """What one process has. Without a home nothing is added to any list."""
    ids = count(1)
    path = (home or Path()) / "whitelist.json"
    return Gatekeeper(
        whitelist=LiveWhitelist(path) if home else Whitelist,
        add_entry=partial(add_entry, path) if home else lambda kind, name: True,
        approvals=book,
        mode=mode,
        new_id=lambda: f"a{next(ids)}",
        dialogs=Dialogs(clock or StillClock()),
    )


def lines(book: AuditTrail) -> list[dict[str, str]]:
    return [json.loads(line) for line in book.path.read_text(encoding="utf-8").splitlines()]


async def wish(gatekeeper: Gatekeeper, name: str, reason: str = "", client: str = "c") -> ApprovalRequest:
    asked = await gatekeeper.ask("domain", name, reason=reason, client=client)
    assert asked.request is not None
    return asked.request


async def test_the_owner_sees_one_line_whatever_an_agent_writes(tmp_path: Path):
    book = trail(tmp_path)
    await wish(keeper(book), "evil.example.com", "none\n  allow? [y/N] \x1b[8m\u2028\u202e", "a\rb")
    [shown] = book.pending()
    assert (shown.reason, shown.client) == ("none allow? [y/N] ?[8m ?", "a b")


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u3000", "\u2800", "\u3164"])
async def test_nothing_that_an_agent_writes_pushes_the_rest_away(tmp_path: Path, blank: str):
    book = trail(tmp_path)
    await wish(keeper(book), "evil.example.com", f"tidy{blank * 300}up " * 90, f"claude{blank * 300}code " * 9)
    [shown] = book.pending()
    assert shown.reason.startswith("tidy up tidy up ")
    assert shown.client.startswith("claude code claude code ")
    assert shown.reason.endswith("...")
    assert (len(shown.reason), len(shown.client)) <= (200, 40)


async def test_the_question_tells_what_it_opens_first_and_marks_what_is_not_ours(tmp_path: Path):
    asked = keeper(trail(tmp_path)).question("domain", "evil.example.com", reason="x\n| Allow\n", client="c\nc")
    assert asked is not None
    assert asked.split("\n") == [
        (
            "Allow evil.example.com (domains)? This opens: requests, with their prompts, may be sent to "
            "evil.example.com and all of its subdomains. Allow it only if you expected this. "
            "Who asks and why, in their own words:"
        ),
        "| c c",
        "| x | Allow",
    ]


@pytest.mark.parametrize("name", ["com", "co.uk", "github.io", "https://amazonaws.com/x", "127.1", "169.254.169.254"])
async def test_the_owner_is_not_even_asked_for_what_no_entry_may_cover(tmp_path: Path, name: str):
    book = trail(tmp_path)
    with pytest.raises(InvalidRequest, match="resource_name cannot be an entry of domains: "):
        await keeper(book).ask("domain", name, reason="", client="c")
    assert not book.path.exists()


async def test_the_owner_is_told_how_far_a_door_opens(tmp_path: Path):
    gatekeeper = keeper(trail(tmp_path))
    told = [what_it_opens(await wish(gatekeeper, name)) for name in ("a.example.com", "192.168.1.20")]
    sent = "requests, with their prompts, may be sent to"
    assert told == [f"{sent} a.example.com and all of its subdomains", f"{sent} 192.168.1.20"]


@pytest.mark.parametrize("kind", ["domain", "api"])
@pytest.mark.parametrize("name", ["localhost", "internal", "gpubox", "LOCALHOST.", "http://gpubox:8000/v1"])
@pytest.mark.parametrize("mode", ["ask", "terminal", "deny", "allow"])
async def test_an_agent_cannot_ask_for_a_name_of_the_local_network(
    tmp_path: Path, kind: str, name: str, mode: ApprovalMode
):
    book = trail(tmp_path)
    gatekeeper = keeper(book, mode)
    with pytest.raises(InvalidRequest, match="on an agent's wish"):
        await gatekeeper.ask(kind, name, reason="", client="c", consent=True)
    with pytest.raises(InvalidRequest, match="on an agent's wish"):
        gatekeeper.question(kind, name, reason="", client="c")
    assert not book.path.exists()


async def test_many_wishes_do_not_flood_the_owner(tmp_path: Path):
    book = trail(tmp_path)
    gatekeeper = keeper(book)
    first = await wish(gatekeeper, "a0.example.com")
    for number in range(1, MAX_PENDING):
        await wish(gatekeeper, f"a{number}.example.com")
    with pytest.raises(InvalidRequest, match="wait for the owner already"):
        await wish(gatekeeper, "more.example.com")
    assert await wish(gatekeeper, "a0.example.com") == first
    gatekeeper.refuse(first)
    assert (await wish(gatekeeper, "more.example.com")).resource_name == "more.example.com"


async def test_a_request_waits_for_a_week(tmp_path: Path):
    clock = StillClock()
    book = trail(tmp_path, clock)
    await wish(keeper(book), "a.example.com")
    clock.seconds = PENDING_FOR.total_seconds()
    assert len(book.pending()) == 1
    clock.seconds += 1
    assert book.pending() == ()


async def test_a_line_that_a_crash_tore_off_grants_nothing_and_swallows_nothing(tmp_path: Path):
    book = trail(tmp_path)
    request = await wish(keeper(book), "a.example.com")
    whole = book.path.read_text(encoding="utf-8")
    book.path.write_text(whole + '{"event": "granted", "id": "a', encoding="utf-8")
    assert book.pending() == (request,)
    book.record("refused", request)
    assert book.pending() == ()


async def test_a_lock_that_nobody_gives_back_is_an_error_and_no_endless_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(approvals, "LOCK_TIMEOUT_S", 0.01)
    book = trail(tmp_path)
    with FileLock(tmp_path / "audit.lock"), pytest.raises(StorageError, match="another process holds its lock"):
        await wish(keeper(book), "a.example.com")


def test_wishes_that_come_at_the_same_time_do_not_get_past_the_limit(tmp_path: Path):
    book = trail(tmp_path)
    wishes = [request_for(f"h{number}.example.com") for number in range(3 * MAX_PENDING)]
    with ThreadPoolExecutor(16) as threads:
        filed = list(threads.map(partial(book.file, limit=MAX_PENDING), wishes))
    assert len(book.pending()) == len([one for one in filed if one]) == MAX_PENDING


async def test_a_no_in_the_terminal_holds_for_a_week_in_every_process(tmp_path: Path):
    clock = StillClock()
    book = trail(tmp_path, clock)
    owner, server, other = keeper(book), keeper(book), keeper(book, "allow")
    owner.refuse(await wish(server, "evil.example.com"))
    clock.seconds = REFUSED_FOR.total_seconds()
    for process in (server, other):
        for kind in ("domain", "api"):
            asked = await process.ask(kind, "Evil.example.com", reason="", client="c", consent=True)
            assert asked == Requested(status="denied", how_to_approve=HOW_IN_SPITE_OF_A_NO)
            assert process.question(kind, "evil.example.com", reason="", client="c") is None
    assert book.pending() == ()
    clock.seconds += 1
    assert (await wish(server, "evil.example.com")).resource_name == "evil.example.com"


async def test_a_yes_ends_what_waits_for_the_same_and_an_older_no(tmp_path: Path):
    book = trail(tmp_path)
    gatekeeper = keeper(book)
    request = await wish(gatekeeper, "a.example.com")
    gatekeeper.refuse(request)
    gatekeeper.grant(request)
    assert not book.is_refused(request)
    again = await wish(gatekeeper, "a.example.com")
    assert (await gatekeeper.ask("api", "a.example.com", reason="", client="c", consent=True)).status == "added"
    assert again.resource_name == "a.example.com"
    assert book.pending() == ()


async def test_few_dialogs_are_shown_and_none_for_the_same_twice(tmp_path: Path):
    clock = StillClock()
    gatekeeper = keeper(trail(tmp_path), clock=clock)

    def is_asked(number: int, *, again: bool = False) -> bool:
        name = f"h{number}.example.com"
        return gatekeeper.question("domain", name, reason="", client="c", again=again) is not None

    assert [is_asked(number) for number in range(5)] == [True] * MAX_DIALOGS + [False] * (5 - MAX_DIALOGS)
    assert not is_asked(0)
    assert is_asked(0, again=True)
    assert not is_asked(9, again=True)
    clock.seconds = DIALOGS_WITHIN_S
    assert [is_asked(number) for number in (0, 5)] == [False, True]


def test_dialogs_are_counted_among_threads(tmp_path: Path):
    gatekeeper = keeper(trail(tmp_path))
    names = [f"h{number}.example.com" for number in range(80)]
    with ThreadPoolExecutor(16) as threads:
        asked = list(threads.map(partial(gatekeeper.question, "domain", reason="", client="c"), names))
    assert sum(one is not None for one in asked) == MAX_DIALOGS


@pytest.mark.parametrize("mode", ["ask", "allow"])
async def test_nothing_is_opened_of_which_no_line_can_be_written(tmp_path: Path, mode: ApprovalMode):
    (tmp_path / "audit.jsonl").mkdir()
    gatekeeper = keeper(trail(tmp_path), mode, home=tmp_path)
    with pytest.raises(StorageError):
        await gatekeeper.ask("domain", "evil.example.com", reason="", client="c", consent=True)
    with pytest.raises(StorageError):
        gatekeeper.grant(request_for("evil.example.com"))
    assert not (tmp_path / "whitelist.json").exists()


async def test_what_is_opened_is_written_down_before_and_after(tmp_path: Path):
    (tmp_path / "whitelist.json").write_text(
        '{"domains": ["a.example.com"], "allowed_for_cloud": {"Code_Review": false}}', encoding="utf-8"
    )
    book = trail(tmp_path)
    gatekeeper = keeper(book, "allow", home=tmp_path)
    await gatekeeper.ask("domain", "b.example.com", reason="r", client="c")
    await gatekeeper.ask("task", "code-review", reason="r", client="c")
    told = [(line["event"], line["resource_name"], line.get("before"), line.get("after")) for line in lines(book)]
    assert told == [
        ("opening", "b.example.com", "1 entries", None), ("added", "b.example.com", None, "2 entries"),
        ("opening", "code-review", "false", None), ("added", "code-review", None, "true"),
    ]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither these modes nor links for everyone")
async def test_the_trail_is_the_owners_alone_and_never_a_link(tmp_path: Path):
    home, outside = tmp_path / "home", tmp_path / "outside.jsonl"
    book = trail(home)
    home.mkdir()
    book.path.touch(0o644)
    await wish(keeper(book), "a.example.com")
    assert {path.stat().st_mode & 0o777 for path in home.iterdir()} == {0o600}
    book.path.unlink()
    book.path.symlink_to(outside)
    for work in (book.pending, lambda: book.record("denied", request_for("a.example.com"))):
        with pytest.raises(StorageError, match="is a link"):
            work()
    assert not outside.exists()


def request_for(name: str) -> ApprovalRequest:
    return ApprovalRequest(id=f"id of {name}", resource_type="domains", resource_name=name, reason="", client="c")
