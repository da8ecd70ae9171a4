"""What leaves this machine of a request that holds what must not leave it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.errors import SensitiveContent
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile, RoutingRules
from hybrid_mcp.ports import Progress, ProviderCall
from tests.support_service import bench, says

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


async def test_placeholders_leave_and_the_values_come_back_in_the_answer():
    async def repeats(call: ProviderCall, progress: Progress) -> Completion:
        assert KEY not in sent(call)
        name = sent(call).split("revoke ")[1].split(" ")[0]
        for piece in ("Revoke ", name[:5], name[5:], " now"):
            progress.delta(piece)
        return says(f"Revoke {name} now")

    used = bench(cloud=["big"], profile=REDACT, big=[repeats])
    answer = await used.complete(Request(prompt=f"How do I revoke {KEY} today?", context=f"key: {KEY}"))
    assert answer.text == "".join(used.notes.deltas) == f"Revoke {KEY} now"
    assert "placeholders were sent in place of what was found (an AWS access key in prompt" in answer.reason
    assert KEY not in answer.reason


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
