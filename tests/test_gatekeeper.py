from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from filelock import FileLock

from hybrid_mcp.domain.errors import InvalidRequest, StorageError
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.gatekeeper import MAX_PENDING, Gatekeeper, what_it_opens
from hybrid_mcp.ports import ApprovalRequest
from hybrid_mcp.storage import approvals
from hybrid_mcp.storage.approvals import PENDING_FOR, AuditTrail
from tests.support_service import StillClock

pytestmark = pytest.mark.anyio


def trail(tmp_path: Path, clock: StillClock | None = None) -> AuditTrail:
    return AuditTrail(path=tmp_path / "audit.jsonl", clock=clock or StillClock())


def keeper(book: AuditTrail) -> Gatekeeper:
    ids = count(1)
    return Gatekeeper(
        whitelist=Whitelist,
        add_entry=lambda kind, name: True,
        approvals=book,
        mode="ask",
        new_id=lambda: f"a{next(ids)}",
    )


async def wish(gatekeeper: Gatekeeper, name: str, reason: str = "", client: str = "c") -> ApprovalRequest:
    asked = await gatekeeper.ask("domain", name, reason=reason, client=client)
    assert asked.request is not None
    return asked.request


async def test_the_owner_sees_one_line_whatever_an_agent_writes(tmp_path: Path):
    book = trail(tmp_path)
    await wish(keeper(book), "evil.example.com", "none\n  allow? [y/N] \x1b[8m\u2028\u202e", "a\rb")
    [shown] = book.pending()
    assert (shown.reason, shown.client) == ("none?  allow? [y/N] ?[8m??", "a?b")


@pytest.mark.parametrize("name", ["com", "co.uk", "github.io", "https://amazonaws.com/x", "127.1", "169.254.169.254"])
async def test_the_owner_is_not_even_asked_for_what_no_entry_may_cover(tmp_path: Path, name: str):
    book = trail(tmp_path)
    with pytest.raises(InvalidRequest, match="resource_name cannot be an entry of domains: "):
        await keeper(book).ask("domain", name, reason="", client="c")
    assert not book.path.exists()


async def test_the_owner_is_told_how_far_a_door_opens(tmp_path: Path):
    gatekeeper = keeper(trail(tmp_path))
    told = [what_it_opens(await wish(gatekeeper, name)) for name in ("a.example.com", "192.168.1.20", "ollama")]
    sent = "requests, with their prompts, may be sent to"
    assert told == [f"{sent} a.example.com and all of its subdomains", f"{sent} 192.168.1.20", f"{sent} ollama"]


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
