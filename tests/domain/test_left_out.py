"""Models that were left out, told in few words."""

from __future__ import annotations

from hybrid_mcp.domain.brevity import cost
from hybrid_mcp.domain.eligibility import Excluded
from hybrid_mcp.domain.left_out import Group, by_cause, in_a_row, one_by_one

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
    assert by_cause((*UNLISTED, *WITHOUT_KEY, *larger)) == [
        Group(
            cause="whitelist", models=("a:large", "b:large", "c:large"),
            reason="api.a.com, api.b.com, api.c.com is not listed: ask for it",
        ),
        Group(cause="key", models=("d:large", "e:large"), reason="no API key: set D_KEY, E_KEY"),
        Group(
            cause="context", models=("f:200", "f:400"), reason="1,000 tokens do not fit its window of 200, 400"
        ),
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
    assert cost(short) <= 130
    assert short.startswith("vendor:model-0")
    assert "price)" in short
    assert short.endswith("(`hybrid-mcp ask --dry-run` lists all)")
