from __future__ import annotations

from dataclasses import dataclass

import pytest

from hybrid_mcp.providers.reuse import KEPT_S, LEAST_CHARACTERS, MOST_TEXTS, SeenBefore


@dataclass
class Stopwatch:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def seen(watch: Stopwatch) -> SeenBefore:
    return SeenBefore(watch)


def text(number: int = 0) -> str:
    return f"{number:05}" + "x" * (LEAST_CHARACTERS - 5)


def test_a_text_comes_again_when_it_came_before(seen: SeenBefore):
    assert [seen.comes_again(text()) for _ in range(3)] == [False, True, True]
    assert not seen.comes_again(text(1))
    assert not seen.comes_again(text() + "y")


def test_a_short_text_never_counts_as_one_that_comes_again(seen: SeenBefore):
    short = text()[:-1]
    assert [seen.comes_again(short) for _ in range(2)] == [False, False]


@pytest.mark.parametrize(("later_s", "again"), [(KEPT_S - 1, True), (KEPT_S, False)])
def test_what_came_long_ago_is_forgotten(seen: SeenBefore, watch: Stopwatch, later_s: float, again: bool):
    seen.comes_again(text())
    watch.seconds += later_s
    assert seen.comes_again(text()) is again


def test_each_use_keeps_it_for_longer(seen: SeenBefore, watch: Stopwatch):
    seen.comes_again(text())
    for _ in range(3):
        watch.seconds += KEPT_S - 1
        assert seen.comes_again(text())


def test_the_least_lately_used_is_forgotten_first(seen: SeenBefore):
    for number in range(MOST_TEXTS):
        seen.comes_again(text(number))
    seen.comes_again(text(0))
    seen.comes_again(text(MOST_TEXTS))
    assert seen.comes_again(text(0))
    assert not seen.comes_again(text(1))


def test_no_text_is_kept(seen: SeenBefore):
    seen.comes_again("secret " * LEAST_CHARACTERS)
    assert "secret" not in str(vars(seen))
