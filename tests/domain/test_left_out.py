"""Models that were left out, told in few words."""

from __future__ import annotations

from datetime import UTC, datetime

from hybrid_mcp.domain.brevity import cost
from hybrid_mcp.domain.budget import Overbilled
from hybrid_mcp.domain.eligibility import Excluded
from hybrid_mcp.domain.left_out import Group, by_cause, in_a_row, one_by_one
from hybrid_mcp.domain.money import Usd

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)

HOSTS = ("api.a.com", "api.b.com", "api.c.com")
UNLISTED = tuple(
    Excluded(model=f"{host[4]}:large", cause="whitelist", fact=f"{host} is not listed", remedy="ask for it")
    for host in HOSTS
)
WITHOUT_KEY = tuple(
    Excluded(model=f"{name}:large", cause="key", fact="no API key", remedy=f"set {name.upper()}_KEY") for name in "de"
)


def test_what_to_do_is_told_once():
    assert [one.reason for one in one_by_one((*UNLISTED, *WITHOUT_KEY))] == [
        "api.a.com is not listed: ask for it", "api.b.com is not listed", "api.c.com is not listed",
        "no API key: set D_KEY", "no API key: set E_KEY",
    ]  # fmt: skip


def test_models_with_the_same_cause_stand_together_with_what_differs():
    larger = [
        Excluded(model=f"f:{size}", cause="context", fact=f"1,000 tokens do not fit its window of {size}")
        for size in (200, 400)
    ]
    assert by_cause((*larger, *UNLISTED, *WITHOUT_KEY)) == [
        Group(cause="key", models=("d:large", "e:large"), fact="no API key", remedy="set D_KEY, E_KEY"),
        Group(
            cause="whitelist", models=("a:large", "b:large", "c:large"),
            fact="api.a.com, api.b.com, api.c.com is not listed", remedy="ask for it",
        ),
        Group(cause="context", models=("f:200", "f:400"), fact="1,000 tokens do not fit its window of 200, 400"),
    ]  # fmt: skip


def test_a_row_of_many_names_the_causes_that_it_cannot_tell():
    told = in_a_row((*UNLISTED, *WITHOUT_KEY), 1_000)
    assert told.count("ask for it") == 1
    assert all(one.fact in told for one in UNLISTED)
    many = tuple(
        Excluded(model=f"vendor:model-{number}", cause=cause, fact=f"fact {number} of {cause}", remedy="do this")
        for number in range(40)
        for cause in ("whitelist", "key", "context", "breaker", "threshold", "price")
    )
    short = in_a_row(many, 100)
    assert cost(short) <= 100
    assert short.startswith(
        "vendor:model-0 and 39 more: key: do this; vendor:model-0 and 39 more: whitelist: do this; "
    )
    assert short.endswith(
        "; vendor:model-0 and 119 more (breaker, threshold, price) (`hybrid-mcp ask --dry-run` lists all)"
    )


def blocked(model: str, cost_usd: str = "1.53") -> Excluded:
    charged = Overbilled(model=model, bound=Usd.limit("0.01"), cost=Usd.limit(cost_usd), at=AT)
    return Excluded(model=model, cause="blocked", fact=charged.what, remedy=charged.remedy)


def test_a_model_that_charged_too_much_is_told_first_with_the_whole_command_however_little_room_there_is():
    excluded = (*UNLISTED, *WITHOUT_KEY, blocked("openai:gpt-5"))
    for most in range(100):
        told = in_a_row(excluded, most)
        assert told.startswith("openai:gpt-5: ")
        assert "`hybrid-mcp models unblock openai:gpt-5`" in told
        assert told.count("`") % 2 == 0


def test_several_models_that_charged_too_much_share_one_command():
    (group,) = by_cause((blocked("openai:gpt-5"), blocked("gemini:gemini-3.8-flash", "2.53")))
    assert group.remedy == "`hybrid-mcp models unblock MODEL` for each"
    assert group.models == ("openai:gpt-5", "gemini:gemini-3.8-flash")


def test_a_long_name_stands_beside_a_command_and_not_in_it():
    name = "p:" + "x9-" * 60
    (group,) = by_cause((blocked(name),))
    assert group.remedy == "`hybrid-mcp models unblock MODEL`"
