"""Asks each provider what costs nothing: its models, its version, and whether it takes the key.

All are asked at once, and nobody is waited for longer than one limit for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio
import httpx2

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.diagnosis import Diagnosis, Reply, Seen, Topic, diagnose, why_no_answer
from hybrid_mcp.providers.http import (
    Egress,
    base_url_of,
    client_httpx2,
    key_headers,
    listing_url,
    read_document,
    without_key,
)

LIMIT_S = 1.8
"""Seconds for all providers together: a far vendor lists its models in well under one."""
LIST_LIMIT_BYTES = 3_000_000
"""The longest lists describe each of some hundred models, and have about one million."""
ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One provider to ask. `wanted`: the models that the owner names, as the provider calls them."""

    spec: ProviderSpec
    api_key: Callable[[], str | None]
    wanted: tuple[str, ...] = ()


async def probe_all(probes: Sequence[Probe], egress: Egress, limit_s: float | None = None) -> Mapping[str, Diagnosis]:
    """How each provider does, by name, after `limit_s` (else `LIMIT_S`) seconds at the latest for all of them
    together."""
    limit_s = limit_s or LIMIT_S
    seen: dict[str, dict[Topic, Seen]] = {probe.spec.name: {} for probe in probes}
    with anyio.move_on_after(limit_s):
        async with anyio.create_task_group() as group:
            for probe in probes:
                group.start_soon(_ask, probe, egress, seen[probe.spec.name])
    return {probe.spec.name: _judged(probe, seen[probe.spec.name], limit_s) for probe in probes}


def questions(spec: ProviderSpec, *, has_key: bool) -> Mapping[Topic, str]:
    """The URLs to ask, by what each of them tells."""
    base = base_url_of(spec)
    match spec.kind:
        case "ollama":
            return {"version": f"{base}/api/version", "models": listing_url(spec)}
        case "anthropic":
            return {"models": f"{base}/v1/models?limit=1000"}
        case _ if spec.key_path is not None and has_key:
            return {"key": f"{base}/{spec.key_path}", "models": listing_url(spec)}
        case _:
            return {"models": listing_url(spec)}


def _judged(probe: Probe, seen: Mapping[Topic, Seen], limit_s: float) -> Diagnosis:
    has_key = probe.api_key() is not None
    late = Diagnosis(
        state="broken", detail=f"no answer within {limit_s:g} s: try again, or check {probe.spec.base_url}"
    )
    whole: dict[Topic, Seen] = {topic: seen.get(topic, late) for topic in questions(probe.spec, has_key=has_key)}
    return diagnose(probe.spec, whole, has_key=has_key, wanted=probe.wanted)


async def _ask(probe: Probe, egress: Egress, seen: dict[Topic, Seen]) -> None:
    spec = probe.spec

    async def get(topic: Topic, url: str) -> None:
        start = anyio.current_time()
        try:
            async with client.stream("GET", url, headers=_headers(spec)) as response:
                document = await read_document(response, LIST_LIMIT_BYTES)
            body = None if document is None else without_key(document, probe.api_key())
            latency_ms = round((anyio.current_time() - start) * 1000)
            seen[topic] = Reply(status=response.status_code, body=body, latency_ms=latency_ms)
        except HybridError as error:
            seen[topic] = Diagnosis(state="note" if egress.airgap else "broken", detail=str(error))
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as error:
            seen[topic] = why_no_answer(spec, error)

    async with (
        client_httpx2(spec, egress, lambda: key_headers(spec, probe.api_key())) as client,
        anyio.create_task_group() as group,
    ):
        for topic, url in questions(spec, has_key=probe.api_key() is not None).items():
            group.start_soon(get, topic, url)


def _headers(spec: ProviderSpec) -> Mapping[str, str]:
    return {"anthropic-version": ANTHROPIC_VERSION} if spec.kind == "anthropic" else {}
