"""What is peculiar to OpenAI's Responses API; what all adapters promise is in test_contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hybrid_mcp.domain.completion import Finish, Message, Usage
from hybrid_mcp.domain.errors import ProviderRateLimited, ProviderRejected, ProviderUnavailable
from tests.support_contract import (
    HELLO,
    USAGE,
    End,
    Far,
    Refusing,
    Text,
    always,
    failure_of,
    is_billed,
    response_end,
    response_events,
    scene,
)
from tests.support_servers import CALL, SEAL, Reply

pytestmark = pytest.mark.anyio

BEGUN = {"type": "response.output_text.delta", "delta": "Hal", "item_id": "i", "output_index": 0, "content_index": 0}


def streamed(*events: dict[str, Any]) -> Far:
    return Far(reply=Reply(content_type="text/event-stream", body=response_events(*events)))


def failed(code: str | None) -> dict[str, Any]:
    error = None if code is None else {"code": code, "message": f"You sent: {SEAL}"}
    event = response_end("stop", USAGE, status="failed", error=error)
    return {**event, "type": "response.failed"}


async def test_what_is_sent_is_streamed_capped_and_not_kept_by_the_vendor():
    messages = (Message("system", "One."), Message("system", "Two."), Message("user", "Hello"))
    async with scene("responses", always(*HELLO)) as stage:
        await stage.ask(replace(CALL, messages=messages))
        [received] = stage.requests
    assert received.path == "/responses"
    assert received.json == {
        "model": "some-model",
        "instructions": "One.\n\nTwo.",
        "input": [{"role": "user", "content": "Hello", "type": "message"}],
        "max_output_tokens": 64,
        "temperature": 0,
        "stream": True,
        "store": False,
    }


async def test_openai_itself_gets_no_temperature():
    async with scene("responses", always(*HELLO), price_provider="openai") as stage:
        await stage.ask(replace(CALL, temperature=0.5, stop=("END",), reasoning_effort="high"))
        body = stage.requests[0].json
    assert {"temperature", "stop", "service_tier"}.isdisjoint(body)
    assert body["reasoning"] == {"effort": "high"}


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object"}, False),
        ({"type": "array"}, None),
    ],
)
async def test_a_schema_is_called_strict_only_where_it_is(schema: dict[str, Any], shape: bool | None):
    async with scene("responses", always(*HELLO), local=True) as stage:
        await stage.ask(replace(CALL, response_schema=json.dumps(schema)))
        body = stage.requests[-1].json
    wanted = {"type": "json_schema", "name": "answer", "schema": schema, "strict": shape}
    assert body.get("text") == (None if shape is None else {"format": wanted})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limit_exceeded", ProviderRateLimited),
        ("invalid_prompt", ProviderRejected),
        ("server_error", ProviderUnavailable),
        ("something_new", ProviderUnavailable),
        (None, ProviderUnavailable),
    ],
)
@pytest.mark.parametrize("begun", [(), (BEGUN,)], ids=["at once", "in the middle"])
async def test_a_failed_response_counts_as_what_its_code_says(
    code: str | None, kind: type[Exception], begun: tuple[dict[str, Any], ...]
):
    events = [failed(code)] if code is None else [failed(code), {"type": "error", "code": code, "message": SEAL}]
    for event in events:
        error = await failure_of("responses", always(), streamed(*begun, event))
        assert (type(error), is_billed(error)) == (kind, True)


async def test_the_usage_of_a_failed_response_is_told():
    async with scene("responses", always(), streamed(BEGUN, failed("server_error"))) as stage:
        with pytest.raises(ProviderUnavailable):
            await stage.ask()
    assert stage.heard.usages == [USAGE]
    assert stage.heard.deltas == ["Hal"]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "refusal"), ("something_new", "other"), (None, "other")],
)
async def test_an_incomplete_response_tells_why(reason: str | None, finish: Finish):
    details = None if reason is None else {"reason": reason}
    end = response_end("other", USAGE, incomplete_details=details)
    async with scene("responses", always(), streamed(BEGUN, end)) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.finish, completion.usage) == ("Hal", finish, USAGE)


async def test_a_response_that_used_up_its_cap_was_cut_whatever_the_server_calls_it():
    full = Usage(input_tokens=20, output_tokens=CALL.max_output_tokens)
    async with scene("responses", always(Text("Hal"), End("stop", full))) as stage:
        assert (await stage.ask()).finish == "length"
    async with scene("responses", always(Refusing("No"), End("stop", full))) as stage:
        assert (await stage.ask()).finish == "refusal"


async def test_what_the_total_alone_counts_is_output():
    end = response_end("stop", Usage(input_tokens=10, output_tokens=2))
    end["response"]["usage"]["total_tokens"] = 40
    async with scene("responses", always(), streamed(BEGUN, end)) as stage:
        assert (await stage.ask()).usage == Usage(input_tokens=10, output_tokens=30)
