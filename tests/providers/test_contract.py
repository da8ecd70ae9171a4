"""What every adapter promises, whatever its server speaks: one suite, before scripted servers and before real ones."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

import anyio
import jsonschema
import pytest

from hybrid_mcp.domain.completion import Effort, Finish, Message, Usage
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    EgressDenied,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from hybrid_mcp.domain.tokens import extent
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.streaming import COUNT_LIMIT
from tests.support_contract import (
    ADAPTERS,
    HELLO,
    KEY,
    USAGE,
    Adapter,
    Asked,
    Cut,
    End,
    Failing,
    Far,
    Hang,
    Nonsense,
    Nothing,
    Real,
    Refusing,
    Step,
    Text,
    Thinking,
    ToolCall,
    always,
    assert_tells_nothing,
    failure_of,
    is_billed,
    provider_for,
    refused,
    scene,
    spec_for,
    told,
)
from tests.support_servers import (
    CALL,
    CLOSED,
    NEVER_LONGER_S,
    OLLAMA_SHOW,
    SEAL,
    FakeServer,
    Recorder,
    Reply,
    closed_port_url,
    reply_always,
)

pytestmark = pytest.mark.anyio

_NO_NETWORK = "it runs in this process: there is no network, no key and no far server between"
_OWN_LIBRARY = "its llama.cpp is of this very version, runs in this process and is no stranger that may misbehave"

LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "test_a_refusal_has_a_name_of_its_own": {
        "ollama": "its API has no sign for a refusal", "embedded": "llama.cpp has no sign for a refusal",
    },
    "test_a_refusal_in_words_of_its_own_is_the_text": {
        "anthropic": "a refusal is only a reason to stop there", "ollama": "its API has no sign for a refusal",
        "embedded": "llama.cpp has no sign for a refusal",
    },
    "test_the_temperature_is_zero_unless_the_caller_wishes_another": {
        "anthropic": "its API takes no temperature any more",
    },
    "test_stop_sequences_are_sent": {"responses": "its API takes none; they are kept here"},
    "test_an_answer_ends_before_its_stop_sequence_where_the_server_goes_on": {"embedded": _OWN_LIBRARY},
    "test_what_only_looked_like_a_stop_sequence_is_part_of_the_answer": {"embedded": _OWN_LIBRARY},
    "test_reasoning_effort_is_sent_in_the_dialects_own_form": {"embedded": "its model cannot think"},
    "test_reasoning_effort_is_left_out_where_nobody_would_know_it": {
        "anthropic": "all of its present models know it",
    },
    "test_thinking_and_tool_calls_are_no_part_of_the_answer_but_are_told": {"embedded": "its model knows neither"},
    "test_absurd_counts_are_cut_to_a_bound": {"ollama": "so many tokens are more than its context: ContextTooLong"},
    "test_confidence_is_of_what_can_be_true": {
        "responses": "its API gives log-probabilities for some models only, and none is asked for",
        "anthropic": "its API gives none",
    },
    "test_characters_that_are_cut_between_two_pieces_arrive_whole": {"embedded": "it passes on texts, not bytes"},
    "test_models_are_listed_smallest_first": {
        "anthropic": "its models come from the profile", "embedded": "it has one, and test_embedded shows it",
    },
    "test_an_error_inside_of_the_stream_counts_as_what_it_says": {
        "ollama": "its errors inside of a stream have no code", "embedded": "it has no limit of requests",
    },
    **{
        name: {"embedded": _NO_NETWORK}
        for name in (
            "test_what_is_no_answer_is_an_unavailable_provider", "test_a_connection_that_breaks_may_have_been_billed",
            "test_a_good_status_with_an_error_as_its_body_is_no_answer",
            "test_a_refused_connection_was_not_billed", "test_silence_before_the_first_piece_is_a_time_out",
            "test_silence_in_the_middle_is_a_time_out", "test_a_whole_answer_whose_stream_stays_open_is_an_answer",
            "test_a_refusal_by_status_says_what_to_do", "test_a_rate_limit_says_how_long_to_wait_where_it_is_told",
            "test_a_server_that_fails_may_have_billed", "test_a_request_that_is_too_long_is_told_with_its_numbers",
            "test_a_redirect_is_not_followed", "test_an_answer_longer_than_its_cap_is_broken_off",
            "test_a_server_that_sends_nonsense_is_hung_up_on",
            "test_what_came_before_a_failure_is_told", "test_a_failed_call_is_sent_once",
            "test_no_error_holds_the_prompt_whatever_the_server_quotes", "test_the_key_goes_out_in_its_header_alone",
            "test_a_host_that_is_not_whitelisted_is_never_contacted",
        )
    },
}  # fmt: skip
"""The behaviours that an adapter cannot have, each with its reason."""

REAL_LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "test_a_real_model_is_held_to_the_schema": {
        "responses": "llama.cpp's server reads no schema in this dialect; the words in the messages ask for it",
        "anthropic": "llama.cpp's server reads no schema in this dialect; the words in the messages ask for it",
    },
    "test_a_real_model_says_how_sure_it_is": {
        "responses": "its API gives none that was not asked for", "anthropic": "its API gives none",
        "ollama": "the release that the tests install gives none",
    },
    "test_a_real_server_tells_its_model": {"anthropic": "its models come from the profile"},
    "test_what_does_not_fit_a_real_model_is_refused": {
        "ollama": "it cuts without a word; test_ollama shows how that is caught",
    },
}  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.function.__name__
    if "adapter" in metafunc.fixturenames:
        metafunc.parametrize("adapter", [one for one in ADAPTERS if one not in LEFT_OUT.get(name, {})])
    if "real" in metafunc.fixturenames:
        optional = {"ollama": pytest.mark.ollama}
        params = [
            pytest.param(one, marks=optional.get(one, ())) for one in ADAPTERS if one not in REAL_LEFT_OUT.get(name, {})
        ]
        metafunc.parametrize("real", params, indirect=True)


def test_every_behaviour_that_is_left_out_exists_and_is_had_by_others():
    for name, reasons in {**LEFT_OUT, **REAL_LEFT_OUT}.items():
        assert callable(globals()[name])
        assert set(reasons) < set(ADAPTERS)


# What is asked


async def test_system_prompt_history_and_cap_reach_the_model_as_they_are(adapter: Adapter):
    history = (
        Message("system", "Be brief."), Message("user", "Give me JSON."), Message("assistant", "{broken"),
        Message("user", "That is no JSON: ähem."),
    )  # fmt: skip
    async with scene(adapter, always(*HELLO)) as stage:
        await stage.ask(replace(CALL, messages=history, max_output_tokens=77))
        [asked] = stage.asked
    assert asked == Asked(
        model=None if adapter == "embedded" else "some-model",
        messages=history,
        output_cap=77,
        temperature=None if adapter == "anthropic" else 0,
        logprobs=adapter in {"ollama", "embedded"},
    )


async def test_no_system_prompt_is_made_up(adapter: Adapter):
    alone = (Message("user", "Hello"),)
    async with scene(adapter, always(*HELLO)) as stage:
        await stage.ask(replace(CALL, messages=alone))
        assert stage.asked[0].messages == alone


async def test_the_temperature_is_zero_unless_the_caller_wishes_another(adapter: Adapter):
    async with scene(adapter, always(*HELLO)) as stage:
        for wished in (None, 0.0, 0.7):
            await stage.ask(replace(CALL, temperature=wished))
        assert [asked.temperature for asked in stage.asked] == [0, 0, 0.7]


async def test_stop_sequences_are_sent(adapter: Adapter):
    async with scene(adapter, always(*HELLO)) as stage:
        await stage.ask(replace(CALL, stop=("END", "\nQ:")))
        assert stage.asked[0].stop == ("END", "\nQ:")


SCHEMA = {
    "type": "object", "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"], "additionalProperties": False,
}  # fmt: skip
IN_JSON = replace(CALL, response_schema=json.dumps(SCHEMA))


async def test_a_server_that_can_is_held_to_the_schema_and_not_asked_how_sure_it_is(adapter: Adapter):
    async with scene(adapter, always(Text('{"city": "Rom"}'), End()), local=True) as stage:
        completion = await stage.ask(IN_JSON)
        [asked] = stage.asked
    assert (asked.schema, asked.logprobs, completion.confidence) == (SCHEMA, False, None)


EFFORTS: Mapping[Adapter, Mapping[Effort, object]] = {
    "chat": {"low": "low", "high": "high"},
    "responses": {"low": "low", "high": "high"},
    "anthropic": {"low": "low", "high": "high"},
    "ollama": {"low": False, "high": True},
}


async def test_reasoning_effort_is_sent_in_the_dialects_own_form(adapter: Adapter):
    far = Far(shown={**OLLAMA_SHOW, "capabilities": ["completion", "thinking"]})
    async with scene(adapter, always(*HELLO), far, price_provider="openai") as stage:
        for effort in (None, *EFFORTS[adapter]):
            await stage.ask(replace(CALL, reasoning_effort=effort))
        assert [asked.effort for asked in stage.asked] == [None, *EFFORTS[adapter].values()]


async def test_reasoning_effort_is_left_out_where_nobody_would_know_it(adapter: Adapter):
    async with scene(adapter, always(*HELLO)) as stage:
        await stage.ask(replace(CALL, reasoning_effort="high"))
        assert stage.asked[0].effort is None


async def test_the_key_goes_out_in_its_header_alone(adapter: Adapter):
    async with scene(adapter, always(*HELLO)) as stage:
        await stage.ask()
        assert stage.requests
        for received in stage.requests:
            named = ("x-api-key", KEY) if adapter == "anthropic" else ("authorization", f"Bearer {KEY}")
            assert received.headers[named[0]] == named[1]
            assert str(received).count(KEY) == 1


# What comes back


async def test_an_answer_comes_piece_by_piece_and_is_their_sum(adapter: Adapter):
    async with scene(adapter, always(Text("Hello"), Text(" "), Text("there"), Text(", Grüße"), End())) as stage:
        completion = await stage.ask()
    assert stage.heard.deltas == ["Hello", " ", "there", ", Grüße"]
    assert (completion.text, completion.finish) == ("Hello there, Grüße", "stop")
    assert completion.written == extent("Hello there, Grüße")
    assert stage.heard.asides == []


async def test_usage_tells_what_was_read_cached_written_and_thought(adapter: Adapter):
    async with scene(adapter, always(*HELLO)) as stage:
        assert (await stage.ask()).usage == told(adapter)
    assert stage.heard.usages[-1:] == ([] if adapter == "embedded" else [told(adapter)])


async def test_usage_that_is_not_told_is_none(adapter: Adapter):
    async with scene(adapter, always(Text("Hi"), End(usage=None))) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.usage) == ("Hi", None)


async def test_absurd_counts_are_cut_to_a_bound(adapter: Adapter):
    huge = Usage(input_tokens=2 * 10**18, output_tokens=10**18, cached_tokens=10**18, reasoning_tokens=10**18)
    async with scene(adapter, always(Text("Hi"), End(usage=huge))) as stage:
        usage = (await stage.ask()).usage
    cut = Usage(**dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"), COUNT_LIMIT))
    # Anthropic's input is the sum of two counts.
    assert usage == told(adapter, replace(cut, input_tokens=(2 if adapter == "anthropic" else 1) * COUNT_LIMIT))


@pytest.mark.parametrize("finish", ["stop", "length", "other"])
async def test_each_way_to_finish_has_its_name(adapter: Adapter, finish: Finish):
    async with scene(adapter, always(Text("Hi"), End(finish))) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.finish) == ("Hi", finish)


async def test_a_refusal_has_a_name_of_its_own(adapter: Adapter):
    async with scene(adapter, always(Text("I'd rather"), End("refusal"))) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.finish, completion.usage) == ("I'd rather", "refusal", USAGE)


async def test_a_refusal_in_words_of_its_own_is_the_text(adapter: Adapter):
    async with scene(adapter, always(Refusing("I"), Refusing(" cannot"), End("stop"))) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.finish) == ("I cannot", "refusal")
    assert stage.heard.deltas == ["I", " cannot"]


async def test_thinking_and_tool_calls_are_no_part_of_the_answer_but_are_told(adapter: Adapter):
    async with scene(adapter, always(Thinking("hm, "), ToolCall('{"a": 1}'), Text("Hi"), End("other"))) as stage:
        completion = await stage.ask()
    assert (completion.text, stage.heard.deltas) == ("Hi", ["Hi"])
    assert stage.heard.asides[0] == "hm, "
    assert stage.heard.asides[-1].endswith('{"a": 1}')
    assert completion.written.bytes == stage.heard.written_bytes


async def test_events_that_mean_nothing_are_skipped(adapter: Adapter):
    async with scene(adapter, always(Nothing(), Text("Hello"), Nothing(), Text(" there"), Nothing(), End())) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.finish, completion.usage) == ("Hello there", "stop", told(adapter))
    assert stage.heard.deltas == ["Hello", " there"]


async def test_an_answer_without_a_word_is_an_answer(adapter: Adapter):
    async with scene(adapter, always(End())) as stage:
        completion = await stage.ask()
    assert (completion.text, completion.finish, completion.usage) == ("", "stop", told(adapter))
    assert stage.heard.deltas == []


async def test_confidence_is_of_what_can_be_true(adapter: Adapter):
    pieces = (Text("H", (-0.25,)), Text("i", (-0.75,)), Text("!", (-1e308, math.nan, 5.0)))
    async with scene(adapter, always(*pieces, End()), local=True) as stage:
        completion = await stage.ask()
        assert stage.asked[0].logprobs
    assert (completion.text, completion.confidence) == ("Hi!", -0.5 + 0.4 * -0.75)


async def test_characters_that_are_cut_between_two_pieces_arrive_whole(adapter: Adapter):
    """Every byte comes alone, so each character of several bytes is cut wherever it can be."""
    async with scene(adapter, always(Text("Grüße: 日本 "), Text("🙂"), End()), Far(shredded=True)) as stage:
        completion = await stage.ask()
    assert stage.heard.deltas == ["Grüße: 日本 ", "🙂"]
    assert (completion.text, completion.usage) == ("Grüße: 日本 🙂", told(adapter))


STOPPED = (Text("One two E"), Text("N"), Text("D three"), Text(" four"), End("length"))


async def test_an_answer_ends_before_its_stop_sequence_where_the_server_goes_on(adapter: Adapter):
    async with scene(adapter, always(*STOPPED)) as stage:
        completion = await stage.ask(replace(CALL, stop=("###", "END")))
    assert (completion.text, completion.finish, completion.usage) == ("One two ", "stop", told(adapter))
    assert stage.heard.deltas == ["One two "]
    assert "".join(stage.heard.asides) == "END three four"


async def test_what_only_looked_like_a_stop_sequence_is_part_of_the_answer(adapter: Adapter):
    async with scene(adapter, always(Text("the E"), Text("N"), Text("TER key, E"), End())) as stage:
        completion = await stage.ask(replace(CALL, stop=("END",)))
    assert completion.text == "".join(stage.heard.deltas) == "the ENTER key, E"


async def test_a_whole_answer_whose_stream_stays_open_is_an_answer(adapter: Adapter, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.providers.streaming.USAGE_S", 0.1)
    async with scene(adapter, always(Text("Hi"), End(), Hang())) as stage:
        completion = await stage.ask()
        assert await anyio.to_thread.run_sync(stage.left.wait, NEVER_LONGER_S)
    assert (completion.text, completion.finish) == ("Hi", "stop")


async def test_calls_at_once_do_not_mix(adapter: Adapter):
    def echo(body: Any) -> Sequence[Step]:
        turns = body["input" if adapter == "responses" else "messages"]
        word = turns[-1]["content"]
        return (*(Text(letter) for letter in word), End())

    words = [f"{number} {chr(97 + number) * 20}" for number in range(8)]
    answers: dict[str, tuple[str, str]] = {}

    async def one(word: str) -> None:
        heard = Recorder()
        completion = await stage.ask(replace(CALL, messages=(Message("user", word),)), heard)
        answers[word] = (completion.text, "".join(heard.deltas))

    async with scene(adapter, echo) as stage, anyio.create_task_group() as group:
        for word in words:
            group.start_soon(one, word)
    assert answers == {word: (word, word) for word in words}


async def test_models_are_listed_smallest_first(adapter: Adapter):
    async with scene(adapter, always(*HELLO), local=True) as stage:
        assert [spec.model for spec in await stage.provider.models()] == ["m-1b", "m-2b"]


async def test_closing_twice_is_fine(adapter: Adapter):
    async with scene(adapter, always(*HELLO)) as stage:
        await stage.ask()
        await stage.provider.aclose()
        await stage.provider.aclose()


async def test_no_log_holds_prompt_answer_or_key(adapter: Adapter, caplog: pytest.LogCaptureFixture):
    """Also where the SDKs were told to tell all."""
    secret_answer = "the answer that nobody logs"
    for name in ("", "openai", "anthropic", "httpx", "httpcore", "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name)
    async with scene(adapter, always(Text(secret_answer), End())) as stage:
        await stage.ask()
    for secret in (SEAL, KEY, secret_answer):
        assert secret not in caplog.text


# What goes wrong


HTML = Reply(content_type="text/html", body=(b"<html>It works!</html>",))


@pytest.mark.parametrize(
    ("steps", "reply"),
    [
        ((Nonsense(), End()), None),
        ((Text("Hal"), Nonsense(), End()), None),
        ((), Reply(body=(b"\xff\xfe{broken\n\n",))),
        ((), HTML),
    ],
    ids=["at once", "in the middle", "bytes", "a page"],
)
async def test_what_is_no_answer_is_an_unavailable_provider(
    adapter: Adapter, steps: Sequence[Step], reply: Reply | None
):
    error = await failure_of(adapter, always(*steps), Far(reply=reply))
    assert (type(error), is_billed(error)) == (ProviderUnavailable, True)
    assert "no chat answer" in str(error)


async def test_a_good_status_with_an_error_as_its_body_is_no_answer(adapter: Adapter):
    error = await failure_of(adapter, always(), Far(reply=refused(adapter, 200)))
    assert (type(error), is_billed(error)) == (ProviderUnavailable, True)


async def test_an_answer_without_its_end_is_none(adapter: Adapter):
    error = await failure_of(adapter, always(Text("Hal")))
    assert (type(error), is_billed(error)) == (ProviderUnavailable, adapter != "embedded")
    assert "broke off" in str(error)


async def test_an_error_in_the_middle_of_an_answer_ends_it(adapter: Adapter):
    error = await failure_of(adapter, always(Text("Hal"), Failing(), End()))
    assert (type(error), is_billed(error)) == (ProviderUnavailable, adapter != "embedded")


async def test_an_error_inside_of_the_stream_counts_as_what_it_says(adapter: Adapter):
    """What began with 200 may have cost something by then."""
    error = await failure_of(adapter, always(Failing(429)))
    assert (type(error), is_billed(error)) == (ProviderRateLimited, True)


@pytest.mark.parametrize("begun", [(), (Text("Hal"),)], ids=["at once", "in the middle"])
async def test_a_connection_that_breaks_may_have_been_billed(adapter: Adapter, begun: Sequence[Step]):
    error = await failure_of(adapter, always(*begun, Cut()))
    assert (type(error), is_billed(error)) == (ProviderUnavailable, True)
    assert "broke off" in str(error)


async def test_what_came_before_a_failure_is_told(adapter: Adapter):
    """The bill of an answer that failed is bounded by it."""
    async with scene(adapter, always(Thinking("hm"), Text("Grüße"), Cut())) as stage:
        with pytest.raises(ProviderUnavailable):
            await stage.ask()
    assert stage.heard.written_bytes == 2 + 7


async def test_a_refused_connection_was_not_billed(adapter: Adapter):
    provider = provider_for(adapter, spec_for(adapter, closed_port_url()))
    with pytest.raises(ProviderUnavailable, match=r"could not be reached at .*hybrid-mcp doctor") as caught:
        await provider.complete(CALL, Recorder())
    await provider.aclose()
    assert_tells_nothing(caught.value)
    assert caught.value.billed is False


@pytest.mark.parametrize("mute", [True, False], ids=["no headers", "only headers"])
async def test_silence_before_the_first_piece_is_a_time_out(adapter: Adapter, mute: bool):
    with anyio.fail_after(NEVER_LONGER_S):
        error = await failure_of(adapter, always(Hang()), Far(mute=mute), first_byte_s=0.1, idle_s=math.inf)
    assert (type(error), is_billed(error)) == (ProviderTimeout, True)
    assert "sent nothing in time" in str(error)


async def test_silence_in_the_middle_is_a_time_out(adapter: Adapter):
    with anyio.fail_after(NEVER_LONGER_S):
        error = await failure_of(adapter, always(Text("Hal"), Hang()), idle_s=0.1)
    assert (type(error), is_billed(error)) == (ProviderTimeout, True)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "check CLOUDX_KEY"),
        (402, "no credit left; top it up"),
        (403, "check CLOUDX_KEY"),
        (404, "run `ollama pull some-model`|see `hybrid-mcp models`"),
    ],
)
async def test_a_refusal_by_status_says_what_to_do(adapter: Adapter, status: int, advice: str):
    error = await failure_of(adapter, always(), Far(everywhere=refused(adapter, status)))
    assert (type(error), is_billed(error)) == (ProviderRejected, False)
    assert str(error).startswith("cloudx")
    assert re.search(advice, str(error))


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_rate_limit_says_how_long_to_wait_where_it_is_told(adapter: Adapter, everywhere: bool):
    for headers, wait_s, advice in (({"Retry_After": "12.5"}, 12.5, "try again in 13 s"), ({}, None, "again later")):
        reply = refused(adapter, 429, "rate_limit_error", **headers)
        error = await failure_of(adapter, always(), Far(everywhere=reply) if everywhere else Far(reply=reply))
        assert isinstance(error, ProviderRateLimited)
        assert (error.billed, error.retry_after_s) == (False, wait_s)
        assert advice in str(error)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_that_fails_may_have_billed(adapter: Adapter, status: int):
    error = await failure_of(adapter, always(), Far(reply=refused(adapter, status)))
    assert (type(error), is_billed(error)) == (ProviderUnavailable, True)
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    ("status", "words", "told"),
    [
        (413, SEAL, "HTTP 413"),
        (400, f"prompt is too long: 208310 tokens > 200000 maximum: {SEAL}", "208,310 tokens, .* holds 200,000"),
    ],
)
async def test_a_request_that_is_too_long_is_told_with_its_numbers(
    adapter: Adapter, status: int, words: str, told: str
):
    error = await failure_of(adapter, always(), Far(reply=refused(adapter, status, words=words)))
    assert type(error) is ContextTooLong
    assert re.search(told, str(error))
    assert "send less context" in str(error)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_redirect_is_not_followed(adapter: Adapter, everywhere: bool):
    with FakeServer(reply_always(Reply())) as elsewhere:
        moved = Reply(status=307, headers={"Location": f"{elsewhere.url}/v1/chat/completions"})
        async with scene(adapter, always(), Far(everywhere=moved) if everywhere else Far(reply=moved)) as stage:
            with pytest.raises(ProviderRejected, match="no redirect is followed"):
                await stage.ask()
            assert len(stage.asked) == (0 if everywhere and adapter == "ollama" else 1)
        assert elsewhere.requests == []


async def test_a_host_that_is_not_whitelisted_is_never_contacted(adapter: Adapter):
    async with scene(adapter, always(*HELLO), egress=CLOSED) as stage:
        with pytest.raises(EgressDenied, match="not listed"):
            await stage.ask()
        assert stage.requests == []


@pytest.mark.parametrize("piece", [Text("words " * 100), Thinking("words " * 100)], ids=["words", "thinking"])
async def test_an_answer_longer_than_its_cap_is_broken_off(adapter: Adapter, piece: Step):
    async with scene(adapter, always(*repeat(piece, 20_000))) as stage:
        with anyio.fail_after(NEVER_LONGER_S), pytest.raises(ProviderUnavailable) as caught:
            await stage.ask(replace(CALL, max_output_tokens=16))
        assert await anyio.to_thread.run_sync(stage.left.wait, NEVER_LONGER_S)
    assert (caught.value.billed, stage.heard.written_bytes) == (True, 1_800)
    assert str(caught.value) == (
        "cloudx:some-model ignored the output cap: it wrote on past 1,800 bytes though at most 16 tokens were asked "
        "for, and was broken off; use another model"
    )


async def test_a_server_that_sends_nonsense_is_hung_up_on(adapter: Adapter):
    async with scene(adapter, always(Nonsense(), Hang())) as stage:
        with pytest.raises(ProviderUnavailable, match="no chat answer"):
            await stage.ask()
        assert await anyio.to_thread.run_sync(stage.left.wait, NEVER_LONGER_S)


async def test_a_failed_call_is_sent_once(adapter: Adapter):
    far = Far(reply=refused(adapter, 503, Retry_After="0"))
    async with scene(adapter, always(), far) as stage:
        with pytest.raises(ProviderUnavailable):
            await stage.ask()
        assert len(stage.asked) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 404, 408, 413, 422, 429, 500, 529])
async def test_no_error_holds_the_prompt_whatever_the_server_quotes(adapter: Adapter, status: int):
    """`failure_of` looks for it in all that an error can show."""
    reply = refused(adapter, status, code=f"your text was: {SEAL}", words=f"{SEAL} {KEY}")
    for far in (Far(reply=reply), Far(everywhere=reply)):
        assert len(str(await failure_of(adapter, always(), far))) < 300


@pytest.mark.parametrize("begun", [(), (Text("Hal"),)], ids=["before it writes", "while it writes"])
async def test_a_cancelled_call_hangs_up_at_once(adapter: Adapter, begun: Sequence[Step]):
    writing = anyio.Event()
    heard = Recorder()
    heard.delta = lambda text: writing.set()

    def script(_: Any) -> Sequence[Step]:
        if not begun:
            anyio.from_thread.run_sync(writing.set, token=loop)
        return (*begun, Hang())

    loop = anyio.lowlevel.current_token()
    async with scene(adapter, script) as stage:
        with anyio.fail_after(NEVER_LONGER_S):
            async with anyio.create_task_group() as group:
                group.start_soon(stage.ask, CALL, heard)
                await writing.wait()
                group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(stage.left.wait, NEVER_LONGER_S)


# Real models on this machine


def ask_for(prompt: str, *, most: int = 16, **wishes: Any) -> ProviderCall:
    messages = (Message("system", "You are a helpful assistant."), Message("user", prompt))
    return ProviderCall(model="?", messages=messages, max_output_tokens=most, **wishes)


STORY = "Tell me a story about a fox."


async def test_a_real_model_answers_piece_by_piece_with_usage(real: Real):
    heard = Recorder()
    async with real.opened() as provider:
        completion = await provider.complete(real.named(ask_for("What is the capital of France?")), heard)
    assert "Paris" in completion.text
    assert completion.text == "".join(heard.deltas)
    assert len(heard.deltas) > 3
    assert completion.usage is not None
    assert 0 < completion.usage.output_tokens <= 16 < completion.usage.input_tokens


async def test_a_real_answer_that_is_cut_says_so(real: Real):
    async with real.opened() as provider:
        completion = await provider.complete(real.named(ask_for(STORY, most=6)), Recorder())
    assert completion.finish == "length"
    assert completion.usage is not None
    assert completion.usage.output_tokens == 6


async def test_a_real_model_reads_system_prompt_and_history(real: Real):
    """It counts them: each text that is sent makes the request longer."""
    texts = [Message("user", "One two three."), Message("assistant", "Four five six."), Message("user", "Go on.")]
    chats = [texts[:1], [Message("system", "Be a very good counter of words."), *texts[:1]], texts]
    sizes: list[int] = []
    async with real.opened() as provider:
        for chat in chats:
            call = real.named(replace(ask_for("", most=1), messages=tuple(chat)))
            usage = (await provider.complete(call, Recorder())).usage
            sizes.append(usage.input_tokens if usage else 0)
    alone, with_system, with_history = sizes
    assert 0 < alone < with_history
    assert with_system != alone


async def test_a_real_answer_ends_before_its_stop_sequence(real: Real):
    async with real.opened() as provider:
        whole = (await provider.complete(real.named(ask_for(STORY)), Recorder())).text
        stop = whole[len(whole) // 3 :][:9]
        heard = Recorder()
        completion = await provider.complete(real.named(ask_for(STORY, stop=("###", stop))), heard)
    assert completion.text == "".join(heard.deltas) == whole[: whole.index(stop)]
    assert completion.finish == "stop"
    assert completion.usage is not None
    assert completion.usage.output_tokens > 0


async def test_a_real_model_is_held_to_the_schema(real: Real):
    async with real.opened() as provider:
        call = real.named(ask_for("Name a city.", most=80, response_schema=json.dumps(SCHEMA)))
        completion = await provider.complete(call, Recorder())
    jsonschema.validate(json.loads(completion.text), SCHEMA)
    assert (completion.finish, completion.confidence) == ("stop", None)


async def test_a_real_model_says_how_sure_it_is(real: Real):
    async with real.opened() as provider:
        sure = await provider.complete(real.named(ask_for("What is the capital of France?")), Recorder())
        unsure = await provider.complete(real.named(ask_for("Reply with three emojis for a party.")), Recorder())
    assert sure.confidence is not None
    assert unsure.confidence is not None
    assert unsure.confidence < sure.confidence < 0


async def test_a_real_server_takes_every_wish_at_once(real: Real):
    """None of them is refused, whether or not the model can do something with it."""
    async with real.opened() as provider:
        call = real.named(ask_for(STORY, most=4, temperature=0.5, stop=("END",), reasoning_effort="low"))
        assert (await provider.complete(call, Recorder())).text


async def test_what_does_not_fit_a_real_model_is_refused(real: Real):
    async with real.opened() as provider:
        with pytest.raises(ContextTooLong, match=r"(holds|reads at most) (2,048|8,192)"):
            await provider.complete(real.named(ask_for("hello " * 9_000)), Recorder())


async def test_real_calls_at_once_do_not_mix(real: Real):
    capitals = {"France": "Paris", "Germany": "Berlin"}
    answers: dict[str, str] = {}

    async def one(country: str) -> None:
        call = real.named(ask_for(f"What is the capital of {country}?"))
        answers[country] = (await provider.complete(call, Recorder())).text

    async with real.opened() as provider, anyio.create_task_group() as group:
        for country in capitals:
            group.start_soon(one, country)
    for country, capital in capitals.items():
        assert capital in answers[country]


async def test_a_cancelled_call_frees_a_real_model_at_once(real: Real):
    writing = anyio.Event()
    heard = Recorder()
    heard.delta = lambda text: writing.set()
    async with real.opened() as provider:
        with anyio.fail_after(real.bound_s):
            async with anyio.create_task_group() as group:
                group.start_soon(provider.complete, real.named(ask_for(STORY, most=1_900)), heard)
                await writing.wait()
                group.cancel_scope.cancel()
            await real.is_idle()
            # Where it has one slot, a short call does not queue behind nineteen hundred tokens.
            await provider.complete(real.named(ask_for("Hello", most=2)), Recorder())


async def test_a_real_server_tells_its_model(real: Real):
    async with real.opened() as provider:
        found = {spec.model: spec for spec in await provider.models()}
    assert found[real.model].context_tokens == real.context_tokens
    assert found[real.model].parameters == pytest.approx(134_500_000, rel=0.01)
