"""What was sent before and may be read from a provider's cache the next time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import anyio

KEPT_S = 300.0
"""How long Anthropic keeps what was written to its cache, from its last use on (docs.claude.com, Prompt caching)."""
LEAST_CHARACTERS = 16_000
"""About 4,096 tokens, which is the least that the largest of its models keep."""
MOST_TEXTS = 256


class SeenBefore:
    """Remembers digests of texts, never the texts.

    Writing to the cache costs a quarter more than plain input and reading from it a tenth, so a text is written when it
    comes for the second time within `KEPT_S` seconds: a text that comes once costs nothing more.
    """

    def __init__(self, now: Callable[[], float] = anyio.current_time) -> None:
        self._now = now
        self._last_seen: OrderedDict[bytes, float] = OrderedDict()

    def comes_again(self, text: str) -> bool:
        """Whether it was seen a short time ago; it is seen now."""
        if len(text) < LEAST_CHARACTERS:
            return False
        digest, now = hashlib.sha256(text.encode()).digest(), self._now()
        last = self._last_seen.pop(digest, None)
        self._last_seen[digest] = now
        if len(self._last_seen) > MOST_TEXTS:
            self._last_seen.popitem(last=False)
        return last is not None and now - last < KEPT_S
