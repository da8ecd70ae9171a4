"""What looking for secrets costs, and what it finds: planted secrets, clean prompts, and texts made to keep it busy."""

from __future__ import annotations

import base64
import random
import statistics
import time
from collections.abc import Callable

from tests.support_secrets import clean_prompts, hostile_texts, planted, source_code

from bench.scoring import SIZE, TEXTS
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.detectors import MAX_BYTES, PatternScanner

ROUNDS = 500
HOSTILE_ROUNDS = 3
MEGABYTE = 1_000_000
LONGEST = MAX_BYTES - 1


def measure() -> list[str]:
    """Counts over the test data; medians for 4 KB; the slowest hostile text at its best, in CPU time."""
    scan = PatternScanner().scan
    found = sum(any(one.kind == each.kind for each in scan(Request(prompt=one.text))) for one in planted())
    held = sum(bool(scan(Request(prompt=prompt))) for prompt in clean_prompts())
    planted_found = f"{found} of {len(planted())} planted secrets found"
    lines = [f"{planted_found}, {held} of {len(clean_prompts())} clean prompts held back (target: all, and 1 %)"]
    for name, text in TEXTS.items():
        request = Request(prompt=(text * SIZE)[:SIZE])
        seconds = statistics.median(_cpu_seconds(lambda request=request: scan(request)) for _ in range(ROUNDS))
        lines.append(f"4 KB prompt, {name}: looked through in {seconds * 1e6:.0f} us (median, target 1,000)")
    for size, target in ((MEGABYTE, "target 50"), (LONGEST, "the longest that is scanned")):
        slowest, name = max(_hostile(scan, size))
        told = f"{size:,} bytes of hostile text: at most {slowest * 1e3:.1f} ms ({target}), {name!r} repeated"
        lines.append(told)
    plain = Request(prompt=source_code()[: LONGEST // 4] * 4)
    ordinary = min(_cpu_seconds(lambda: scan(plain)) for _ in range(HOSTILE_ROUNDS))
    lines.append(f"{LONGEST:,} bytes of ordinary source code: {ordinary * 1e3:.0f} ms")
    return lines


def _hostile(scan: Callable[[Request], object], size: int) -> list[tuple[float, str]]:
    numbers = random.Random(1)  # noqa: S311 - the same text each time
    texts = hostile_texts(size) | {
        "random base64": base64.b64encode(numbers.randbytes(size)).decode()[:size],
        "base64 of text": base64.b64encode(TEXTS["English prose"].encode() * (size // 60)).decode()[:size],
        "random ASCII": "".join(numbers.choices([chr(code) for code in range(32, 127)], k=size)),
        "random digits": "".join(numbers.choices("0123456789", k=size)),
    }
    requests = {
        name: Request(prompt=f"x{text.encode()[: size - 1].decode(errors='ignore')}") for name, text in texts.items()
    }
    return [
        (min(_cpu_seconds(lambda request=request: scan(request)) for _ in range(HOSTILE_ROUNDS)), name)
        for name, request in requests.items()
    ]


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
