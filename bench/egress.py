"""What the guard costs: the policy for each request, the address check for each connection, a changed whitelist."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.scoring import SIZE, TEXTS
from hybrid_mcp.config import LiveWhitelist, load_whitelist
from hybrid_mcp.config.public_suffix import is_public_suffix
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.providers.egress import Egress

REPEATS, CALLS = 20, 500
TEXT = '{"cloud_apis": ["openai.com", "anthropic.com", "openrouter.ai"], "domains": ["github.com"]}\n'
ADDRESSES = ("162.159.140.245", "172.66.0.243", "2606:4700:7::a29f:8cf5", "2a06:98c1:58::f3")


def measure() -> list[str]:
    """The best of the repeats, in microseconds."""
    spec = VENDORS["openai"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "whitelist.json"
        path.write_text(TEXT, encoding="utf-8")
        is_public_suffix("first.example.com")  # loads the list of suffixes
        egress = Egress(whitelist=LiveWhitelist(path))
        request = _microseconds(lambda: egress.check(spec, "https", "api.openai.com", None))
        addresses = _microseconds(lambda: egress.admitted(spec, "api.openai.com", ADDRESSES))
        changed = _microseconds(lambda: load_whitelist(path))
        prompt = Request(prompt=(TEXTS["English prose"] * SIZE)[:SIZE])
        scan = _microseconds(lambda: PatternScanner().scan(prompt))
    return [
        f"egress policy: {request:.0f} us a request, with the whitelist file read anew",
        f"egress addresses: {addresses:.0f} us a connection to a host with {len(ADDRESSES)} addresses",
        f"whitelist that has changed: {changed:.0f} us once",
        f"scan and guard together, clean 4 KB prompt: {scan + request + addresses:.0f} us (target 1,000)",
    ]


def _microseconds(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=CALLS, repeat=REPEATS)) / CALLS * 1e6
