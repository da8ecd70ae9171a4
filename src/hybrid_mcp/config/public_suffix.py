"""Names under which strangers have names: the Public Suffix List as `publicsuffixlist` packages it, never fetched."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hybrid_mcp.config.packaged import packaged

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(host: str) -> bool:
    """Whether what stands under a host belongs to many: `com`, `co.uk`, `github.io`, and `amazonaws.com` above such.

    A name without a dot that is no top-level domain is none. The entries of the packaged whitelist are not judged:
    `googleapis.com` is on the list, yet all names directly under it are one vendor's.
    """
    if host in _packaged_entries():
        return False
    return _rules(punycode="xn--" in host).is_public(host) or f".{host}\n" in _list_text()


@cache
def _packaged_entries() -> frozenset[str]:
    given = cast("dict[str, list[str]]", json.loads(packaged("whitelist.json").read_text(encoding="utf-8")))
    return frozenset([*given["cloud_apis"], *given["domains"]])


@cache
def _rules(*, punycode: bool) -> PublicSuffixList:
    # 8 ms to load and 10 to read (30 with punycode), and only a whitelist that the owner changed needs it.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList(accept_unknown=False, accept_encoded_idn=punycode)


@cache
def _list_text() -> str:
    from publicsuffixlist import PSLFILE  # noqa: PLC0415

    return Path(PSLFILE).read_text(encoding="utf-8")
