"""Bearer tokens: what is kept of one, and which of those that are kept a caller holds."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

PREFIX = "hmcp_"
"""So that scanners of repositories and logs can tell what it is that leaked."""
NAME_RULE = "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or a digit"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
ID_PREFIX = "token-"
_ID = re.compile(rf"{ID_PREFIX}[0-9a-f]{{12}}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptToken:
    """`id`: whose money is spent, so a new token of an old name has a budget of its own. `digest`: SHA-256, in hex."""

    id: str
    name: str
    digest: str
    created: datetime

    def __post_init__(self) -> None:
        """Raises ValueError, which says what is wrong."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name: use {NAME_RULE}")
        if not _ID.fullmatch(self.id):
            raise ValueError("id: must be token- and 12 hexadecimal digits")
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError("sha256: must be 64 hexadecimal digits")
        if self.created.tzinfo is None:
            raise ValueError("created: a time needs its time zone")


def digest_of(token: str) -> str:
    """What is kept of a token. No salt: 256 random bits are in no table."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def holder(token: str, kept: Iterable[KeptToken]) -> KeptToken | None:
    """The one that is meant; how long it takes tells nothing of the digests."""
    digest = digest_of(token)
    matching = [one for one in kept if hmac.compare_digest(one.digest, digest)]
    return matching[0] if matching else None
