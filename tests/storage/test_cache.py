from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.ports import Cache, CachedAnswer
from hybrid_mcp.storage.memory import MemoryCache
from tests.support_ledger import FakeClock

pytestmark = pytest.mark.anyio

DAY_S = 24 * 3_600


def answer(text: str = "42") -> CachedAnswer:
    completion = Completion(text=text, finish="stop", usage=None)
    return CachedAnswer(completion=completion, model="acme:large", provider="acme", local=False, value=ZERO)


async def kept(cache: Cache, names: str) -> str:
    """Those of the names (one letter each) that the cache still holds; asking makes none of them older."""
    return "".join([name for name in names if await cache.get(name) is not None])


async def test_an_answer_is_found_by_its_fingerprint_alone() -> None:
    cache = MemoryCache(FakeClock())
    await cache.put("a", answer())
    assert await cache.get("a") == answer()
    assert await cache.get("b") is None


async def test_a_newer_answer_replaces_the_older_one() -> None:
    cache = MemoryCache(FakeClock(), max_bytes=4)
    await cache.put("a", answer("old"))
    await cache.put("a", answer("new"))
    await cache.put("b", answer("1"))
    assert await cache.get("a") == answer("new")
    assert await cache.get("b") == answer("1")


async def test_an_answer_is_kept_for_a_day() -> None:
    clock = FakeClock()
    cache = MemoryCache(clock)
    await cache.put("a", answer())
    clock.advance(DAY_S - 1)
    assert await cache.get("a") == answer()
    clock.advance(1)
    assert await cache.get("a") is None


async def test_reading_an_answer_does_not_make_it_younger() -> None:
    clock = FakeClock()
    cache = MemoryCache(clock)
    await cache.put("a", answer())
    clock.advance(DAY_S / 2)
    await cache.get("a")
    clock.advance(DAY_S / 2)
    assert await cache.get("a") is None


async def test_the_answer_that_was_not_used_for_longest_makes_room() -> None:
    cache = MemoryCache(FakeClock(), max_entries=3)
    for name in "abc":
        await cache.put(name, answer())
    await cache.get("a")
    await cache.put("d", answer())
    assert await kept(cache, "abcd") == "acd"


async def test_as_many_answers_make_room_as_the_bytes_need() -> None:
    cache = MemoryCache(FakeClock(), max_bytes=10)
    await cache.put("a", answer("1234"))
    await cache.put("b", answer("1234"))
    await cache.put("c", answer("ä" * 4))
    assert await kept(cache, "abc") == "c"


async def test_an_answer_larger_than_the_cache_leaves_the_others_and_ends_the_older_one() -> None:
    cache = MemoryCache(FakeClock(), max_bytes=10)
    await cache.put("a", answer("1"))
    await cache.put("b", answer("1"))
    await cache.put("b", answer("12345678901"))
    assert await kept(cache, "ab") == "a"


async def test_an_expired_answer_gives_its_bytes_back() -> None:
    clock = FakeClock()
    cache = MemoryCache(clock, max_bytes=10)
    await cache.put("a", answer("12345678"))
    clock.advance(DAY_S)
    assert await cache.get("a") is None
    await cache.put("b", answer("12345"))
    await cache.put("c", answer("12345"))
    assert await kept(cache, "bc") == "bc"


async def test_half_a_utf_16_pair_in_an_answer_is_kept_as_it_is() -> None:
    cache = MemoryCache(FakeClock())
    await cache.put("a", answer("\ud800"))
    assert await cache.get("a") == answer("\ud800")


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.text(st.sampled_from("xä€"), max_size=8), st.integers(0, DAY_S)),
        max_size=40,
    )
)
async def test_it_never_holds_more_than_its_limits(puts: list[tuple[str, str, int]]) -> None:
    clock = FakeClock()
    cache = MemoryCache(clock, max_entries=3, max_bytes=30)
    for name, text, seconds in puts:
        await cache.put(name, answer(text))
        clock.advance(seconds)
        held = [found for key in "abcdef" if (found := await cache.get(key)) is not None]
        assert len(held) <= 3
        assert sum(len(one.completion.text.encode()) for one in held) <= 30


async def test_what_was_written_before_an_answer_takes_place_too() -> None:
    cache = MemoryCache(FakeClock(), max_bytes=10)
    long = answer("42")
    await cache.put("a", replace(long, completion=replace(long.completion, reasoning="x" * 9)))
    assert await cache.get("a") is None
