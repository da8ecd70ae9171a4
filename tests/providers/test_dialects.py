"""What is sent to whom: each vendor's row, seen on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from hybrid_mcp.domain.completion import Message
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.dialects import OPENAI_ITSELF, UNKNOWN, Dialect, dialect_of
from hybrid_mcp.providers.http import Egress
from hybrid_mcp.providers.openai import OpenAIProvider, needs_responses
from tests.support_servers import Recorder, openai_chunk, sse

pytestmark = pytest.mark.anyio

STRICT = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
LOOSE = {"type": "object", "properties": {"city": {"type": "string", "minLength": 2}}}
LIST = {"type": "array", "items": {"type": "string"}}
PLAIN = ProviderCall(model="m", messages=(Message("user", "Hello"),), max_output_tokens=64)
WISHES = replace(PLAIN, response_schema=json.dumps(STRICT), temperature=0.5, stop=("END",), reasoning_effort="high")

HELD = {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": STRICT, "strict": True}}}
JSON = {"response_format": {"type": "json_object"}}
EFFORT = {"reasoning_effort": "high"}
USUAL = {"max_tokens": 64, "temperature": 0.5, "stop": ["END"]}
OF_OPENAI = {"max_completion_tokens": 64, **HELD, **EFFORT}
ELSEWHERE = ProviderSpec(
    name="azure",
    kind="openai",
    base_url="https://mine.example.com/v1",
    host="mine.example.com",
    price_provider="openai",
)
STRANGER = ProviderSpec(name="x", kind="openai", base_url="https://far.example.com/v1", host="far.example.com")


async def sent(spec: ProviderSpec, call: ProviderCall, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a call sends to its own host, without what every call has."""
    bodies: list[dict[str, Any]] = []
    answer = b"".join(sse(openai_chunk("Hi", "stop"), "[DONE]"))

    async def far(_: object, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"object": "list", "data": []})
        bodies.append(json.loads(await request.aread()))
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=answer)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", far)
    provider = OpenAIProvider(spec=spec, api_key=lambda: None, egress=everyone)
    assert (await provider.complete(call, Recorder())).text == "Hi"
    await provider.aclose()
    [body] = bodies
    assert (body.pop("model"), body.pop("stream"), body.pop("stream_options")) == ("m", True, {"include_usage": True})
    assert body.pop("messages") == [{"role": "user", "content": "Hello"}]
    return body


everyone = Egress(
    whitelist=lambda: Whitelist(
        cloud_apis=tuple(spec.host for spec in (*VENDORS.values(), ELSEWHERE, STRANGER) if spec.host)
    )
)

ROWS: Mapping[str, tuple[ProviderSpec, Mapping[str, Any]]] = {
    "openai": (VENDORS["openai"], {**OF_OPENAI, "service_tier": "default"}),
    "openai's models elsewhere": (ELSEWHERE, OF_OPENAI),
    "gemini": (VENDORS["gemini"], {**USUAL, **HELD, **EFFORT}),
    "openrouter": (VENDORS["openrouter"], {**USUAL, **HELD, "reasoning": {"effort": "high"}}),
    "requesty": (VENDORS["requesty"], {**USUAL, **HELD, **EFFORT}),
    "deepseek": (VENDORS["deepseek"], {**USUAL, **JSON}),
    "groq": (VENDORS["groq"], {**USUAL, **JSON, **EFFORT}),
    "mistral": (VENDORS["mistral"], {**USUAL, **HELD}),
    "xai": (VENDORS["xai"], {**USUAL, **HELD}),
    "together": (VENDORS["together"], {**USUAL, **HELD, **EFFORT}),
    "akashml": (VENDORS["akashml"], USUAL),
    "a stranger": (STRANGER, USUAL),
    "llamacpp": (VENDORS["llamacpp"], {**USUAL, **HELD}),
    "lmstudio": (VENDORS["lmstudio"], {**USUAL, **HELD}),
    "vllm": (VENDORS["vllm"], {**USUAL, **HELD}),
}


def test_every_vendor_of_this_dialect_has_its_row_here():
    assert {spec.name for spec in VENDORS.values() if spec.kind == "openai"} <= {spec.name for spec, _ in ROWS.values()}


@pytest.mark.parametrize(("spec", "body"), ROWS.values(), ids=ROWS)
async def test_each_server_is_sent_what_it_takes(
    spec: ProviderSpec, body: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
):
    assert await sent(spec, WISHES, monkeypatch) == body


@pytest.mark.parametrize("spec", [spec for spec, _ in ROWS.values()], ids=ROWS)
async def test_a_plain_call_has_its_cap_and_no_wish(spec: ProviderSpec, monkeypatch: pytest.MonkeyPatch):
    body = await sent(spec, PLAIN, monkeypatch)
    body.pop("service_tier", None)
    assert body in ({"max_tokens": 64, "temperature": 0}, {"max_completion_tokens": 64})


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        (LOOSE, {"type": "json_schema", "json_schema": {"name": "answer", "schema": LOOSE}}),
        (LIST, None),
        ({}, None),
    ],
    ids=["not strict", "no object", "anything"],
)
async def test_only_a_strict_schema_is_called_so_and_only_one_of_objects_is_sent(
    schema: Mapping[str, Any], shape: object, monkeypatch: pytest.MonkeyPatch
):
    call = replace(PLAIN, response_schema=json.dumps(schema))
    assert (await sent(VENDORS["mistral"], call, monkeypatch)).get("response_format") == shape


@pytest.mark.parametrize(
    ("part", "held"),
    [
        ({"type": "string"}, True),
        ({"type": "string", "pattern": "^(a+)+$"}, False),
        ({"type": "array", "minItems": 100_000}, False),
        ({"enum": list(range(500))}, False),
    ],
)
async def test_no_grammar_is_asked_for_that_takes_a_server_long_to_make(
    part: Mapping[str, Any], held: bool, monkeypatch: pytest.MonkeyPatch
):
    call = replace(PLAIN, response_schema=json.dumps({"type": "object", "properties": {"a": part}}))
    assert ("response_format" in await sent(VENDORS["llamacpp"], call, monkeypatch)) is held
    assert "response_format" in await sent(VENDORS["mistral"], call, monkeypatch)


@pytest.mark.parametrize(
    ("host", "dialect"),
    [
        ("api.openai.com", OPENAI_ITSELF),
        ("eu.api.openai.com", OPENAI_ITSELF),
        ("api.openai.com.example.com", UNKNOWN),
        ("api.groq.com", Dialect(schema="json", effort="reasoning_effort")),
    ],
)
def test_the_dialect_goes_by_the_host(host: str, dialect: object):
    assert dialect_of(ProviderSpec(name="x", kind="openai", host=host)) == dialect


@pytest.mark.parametrize(
    ("model", "needed"),
    [
        ("o3-pro", True), ("gpt-5-codex", True), ("codex-mini-latest", True), ("o4-mini-deep-research", True),
        ("gpt-5-pro-2026-10-06", True), ("gpt-6.1-sol", False), ("gpt-4o", False), ("professor", False),
        ("proto-1", False),
    ],
)  # fmt: skip
def test_what_openai_serves_through_one_api_alone_is_asked_there(model: str, needed: bool):
    assert needs_responses(VENDORS["openai"], model) is needed
    assert needs_responses(STRANGER, model) is False
    assert needs_responses(replace(STRANGER, api="responses"), model) is True
