"""What a caller gets who asks for an answer in a shape."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hybrid_mcp.domain.completion import Message, Request
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile, RoutingRules
from tests.support_routing import CLOUD, HERE
from tests.support_service import Notes, bench, says

pytestmark = pytest.mark.anyio

SCHEMA = json.dumps({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
WANTED = Request(prompt="Compare the two cities and choose one", response_schema=SCHEMA)


async def test_a_good_answer_comes_as_plain_json():
    found = await bench(local=["small"], small=[says('```json\n{"city": "Paris"}\n```')]).complete(WANTED)
    assert json.loads(found.text or "") == {"city": "Paris"}
    assert [one.outcome for one in found.attempts] == ["ok"]


async def test_the_schema_stands_in_the_chat_and_goes_with_the_call():
    one = bench(local=["small"], small=[says('{"city": "Paris"}')])
    await one.complete(WANTED)
    [call] = one.scripted.calls
    assert SCHEMA in call.messages[0].content
    assert call.response_schema == SCHEMA


async def test_a_wrong_answer_is_mended_once_by_the_same_model():
    one = bench(local=["small"], small=[says('{"town": "Paris"}'), says('{"city": "Paris"}')])
    found = await one.complete(WANTED)
    assert found.text == '{"city": "Paris"}'
    assert [(each.model, each.outcome) for each in found.attempts] == [("here:small", "doubtful"), ("here:small", "ok")]
    assert found.attempts[0].reason == "it does not match response_schema: `required` does not hold"
    assert found.escalated is False
    asked_again = one.scripted.calls[1].messages
    assert asked_again[2] == Message("assistant", '{"town": "Paris"}')
    assert "`required` does not hold at $" in asked_again[3].content


async def test_a_model_that_cannot_mend_it_is_followed_by_the_next():
    one = bench(local=["small"], cloud=["big"], small=[says("Paris"), says("Paris!")], big=[says('{"city": "Paris"}')])
    found = await one.complete(WANTED)
    assert found.text == '{"city": "Paris"}'
    assert one.scripted.called == ["small", "small", "big"]
    assert found.escalated is True


async def test_nobody_can_so_the_answer_is_marked_as_doubtful():
    found = await bench(local=["small"], small=[says("Paris")]).complete(WANTED)
    assert found.text == "Paris"
    assert "the answer is doubtful (it does not match response_schema: it is no JSON)" in found.reason


async def test_an_answer_in_the_right_shape_is_kept_though_a_later_one_is_not():
    one = bench(
        local=["small"], cloud=["big"], confidence=-0.5,
        small=[says('{"city": "Paris"}', confidence=-2.0)], big=[says("Paris")],
    )  # fmt: skip
    found = await one.complete(WANTED)
    assert (found.model, found.text) == ("here:small", '{"city": "Paris"}')


async def test_an_answer_that_was_cut_off_is_not_mended():
    one = bench(local=["small"], cloud=["big"], small=[says('{"ci', finish="length")], big=[says('{"city": "Rome"}')])
    found = await one.complete(WANTED)
    assert one.scripted.called == ["small", "big"]
    assert found.text == '{"city": "Rome"}'


@pytest.mark.parametrize(("max_cost", "outcomes"), [("5", ["doubtful", "ok"]), ("3", ["doubtful", "refused"])])
async def test_the_bound_of_mending_holds_the_longer_chat(max_cost: str, outcomes: list[str]):
    wrong = '{"town": "' + "x" * 3_000 + '"}'
    one = bench(cloud=["big"], big=[says(wrong, tokens=(100, 500)), says('{"city": "Paris"}')])
    found = await one.complete(replace(WANTED, max_cost=Usd.limit(max_cost), max_output_tokens=256))
    assert [each.outcome for each in found.attempts] == outcomes


async def test_no_money_is_left_for_mending():
    poor = Profile(
        name="t", monthly_budget=Usd.limit("1.20"), rules=RoutingRules(threshold=0, always_try_local_first=False),
        providers=(HERE, CLOUD),
    )  # fmt: skip
    one = bench(cloud=["big"], profile=poor, big=[says("Paris", tokens=(500, 100)), says('{"city": "Paris"}')])
    found = await one.complete(
        Request(prompt="Compare the two cities and choose one", response_schema=SCHEMA, max_output_tokens=200)
    )
    assert found.text == "Paris"
    assert [each.outcome for each in found.attempts] == ["doubtful", "refused"]


async def test_in_redact_mode_the_model_mends_what_it_wrote_itself():
    key = "AKIA" + "Q3EGRIXXMPLE7WZT"
    profile = Profile(
        name="t", monthly_budget=Usd.limit(50), privacy="redact", providers=(CLOUD,),
        rules=RoutingRules(threshold=0, always_try_local_first=False),
    )  # fmt: skip
    written = '{"town": "<REDACTED_1>"}'
    one = bench(cloud=["big"], profile=profile, big=[says(written), says('{"city": "<REDACTED_1>"}')])
    found = await one.complete(Request(prompt=f"Put it into JSON: {key}", response_schema=SCHEMA))
    assert one.scripted.calls[1].messages[2].content == written
    assert all(key not in message.content for call in one.scripted.calls for message in call.messages)
    assert found.text == json.dumps({"city": key})


async def test_what_is_wrong_at_a_redacted_name_is_told_to_its_model_by_the_placeholder():
    key = "AKIA" + "Q3EGRIXXMPLE7WZT"
    profile = Profile(
        name="t", monthly_budget=Usd.limit(50), privacy="redact", providers=(CLOUD,),
        rules=RoutingRules(threshold=0, always_try_local_first=False),
    )  # fmt: skip
    texts = json.dumps({"type": "object", "additionalProperties": {"type": "string"}})
    one = bench(cloud=["big"], profile=profile, big=[says('{"<REDACTED_1>": 5}'), says('{"<REDACTED_1>": "five"}')])
    found = await one.complete(Request(prompt=f"Compare both and choose one: {key}", response_schema=texts))
    assert all(key not in str(call) for call in one.scripted.calls)
    assert "at $['<REDACTED_1>']" in one.scripted.calls[1].messages[-1].content
    assert found.text == json.dumps({key: "five"})


async def test_a_redacted_value_of_several_lines_is_put_back_as_json():
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj" * 3
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    profile = Profile(
        name="t", monthly_budget=Usd.limit(50), privacy="redact", providers=(CLOUD,),
        rules=RoutingRules(threshold=0, always_try_local_first=False),
    )  # fmt: skip
    one = bench(cloud=["big"], profile=profile, big=[says('{"city": "-----<REDACTED_1>"}')])
    found = await one.complete(Request(prompt=f"Put it into JSON:\n{key}\n", response_schema=SCHEMA))
    assert json.loads(found.text or "") == {"city": key}
    assert len(one.scripted.calls) == 1


async def test_personal_data_behind_the_escapes_of_a_schema_stays_here():
    for words in ("card:\n4111111111111111", "iban\tDE89370400440532013000"):
        one = bench(local=["small"], cloud=["big"], small=[says('"x"')], big=[says('"y"')])
        await one.complete(Request(prompt="Compare the two", response_schema=json.dumps({"description": words})))
        assert one.scripted.called == ["small"]


async def test_a_schema_that_cannot_be_checked_is_not_paid_to_be_mended():
    doubled = {f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(30)}
    schema = json.dumps({"$ref": "#/$defs/d0", "$defs": {**doubled, "d30": {"type": "string"}}})
    one = bench(local=["small"], cloud=["big"], small=[says("1")], big=[says("1")])
    found = await one.complete(Request(prompt="Compare the two", response_schema=schema))
    assert one.scripted.called == ["small"]
    assert "checking it takes too long" in found.reason


async def test_a_secret_in_the_schema_or_a_stop_sequence_keeps_the_call_here():
    key = "AKIA" + "Q3EGRIXXMPLE7WZT"
    for request in (
        Request(prompt="p", response_schema=json.dumps({"enum": [key]})),
        Request(prompt="p", stop=(key,)),
    ):
        one = bench(local=["small"], cloud=["big"], small=[says(f'"{key}"')], big=[says("no")])
        await one.complete(request)
        assert "big" not in one.scripted.called


async def test_a_schema_that_is_none_is_refused_before_anything_is_asked():
    one = bench(local=["small"], small=[says("x")])
    with pytest.raises(InvalidRequest, match="nothing is fetched"):
        await one.complete(Request(prompt="p", response_schema='{"$ref": "https://example.com/x"}'))
    assert one.scripted.calls == []


async def test_with_a_temperature_no_answer_is_taken_from_the_cache():
    one = bench(local=["small"], small=[says("first"), says("second")])
    asked = Request(prompt="p", temperature=0.9)
    assert [(await one.complete(asked, Notes())).text for _ in range(2)] == ["first", "second"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"temperature": -0.1}, "temperature must be from 0 to 2"),
        ({"temperature": float("nan")}, "temperature must be from 0 to 2"),
        ({"stop": ("",)}, "stop takes at most 4 sequences of 1 to 100 characters"),
        ({"stop": ("a",) * 5}, "stop takes at most 4"),
        ({"response_schema": "x" * 40_000}, "response_schema has more than 32,000 bytes"),
    ],
)
async def test_a_wish_out_of_range_is_refused(changes: dict[str, object], told: str):
    with pytest.raises(InvalidRequest, match=told):
        Request(prompt="p", **changes)  # pyright: ignore[reportArgumentType]
