from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from genai_prices import data_snapshot
from genai_prices.types import (
    ClauseEquals,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.domain.budget import FREE, Quote
from hybrid_mcp.domain.completion import Usage
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import ModelSpec, Price, ProviderSpec
from hybrid_mcp.domain.vendors import PRESENT_NAMES, VENDORS
from hybrid_mcp.ports import ModelFacts, PriceBook
from hybrid_mcp.providers.prices import FRAMING_TOKENS, US_PERCENT, GenaiPrices
from tests.support_ledger import NOON, usd

BOOK: PriceBook = GenaiPrices()
HOUR = timedelta(hours=1)


def model(name: str, provider: str | None, price: Price | None = None, context: int | None = None) -> ModelSpec:
    spec = ProviderSpec(
        name="x", kind="openai", host="api.example.com", price_provider=provider, price=price, context_tokens=context
    )
    return ModelSpec(provider=spec, model=name)


LOCAL = ModelSpec(provider=ProviderSpec(name="ollama", kind="ollama", loopback=True, local=True), model="qwen")
DECLARED = model("gpt-6.1-sol", "openai", Price(input_nanos=1_000, output_nanos=4_000), context=128_000)


def million(price_per_mtok: str, tokens: int) -> Usd:
    return Usd.cost(Decimal(price_per_mtok) * tokens / 1_000_000)


def quoted(name: str, provider: str, tokens: int = 1_000, start: datetime = NOON) -> Quote:
    """The quote of a call of an hour whose request can be so many tokens."""
    quote = BOOK.quote(model(name, provider), tokens - FRAMING_TOKENS, start, start + HOUR)
    assert quote is not None
    return quote


def test_a_local_model_is_free_and_needs_no_list() -> None:
    usage = Usage(input_tokens=10**9, output_tokens=10**9)
    assert BOOK.quote(LOCAL, 4_000_000, NOON, NOON) == FREE
    assert BOOK.cost(LOCAL, usage, NOON) == ZERO
    assert BOOK.facts(LOCAL, NOON) == ModelFacts(context_tokens=None, blended_nanos=0)


def test_a_declared_price_wins_over_the_list() -> None:
    usage = Usage(input_tokens=100, output_tokens=10, cached_tokens=90, reasoning_tokens=5)
    assert BOOK.quote(DECLARED, 1_000, NOON, NOON) == Quote(
        input=Usd((1_000 + FRAMING_TOKENS) * 1_000), output_token_nanos=4_000
    )
    assert BOOK.cost(DECLARED, usage, NOON) == Usd(140_000)
    assert BOOK.facts(DECLARED, NOON) == ModelFacts(context_tokens=128_000, blended_nanos=7_000)


def test_a_declared_price_leaves_the_context_window_to_the_list() -> None:
    facts = BOOK.facts(model("gpt-6.1-sol", "openai", Price(input_nanos=1, output_nanos=1)), NOON)
    assert facts == ModelFacts(context_tokens=1_050_000, blended_nanos=4)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("no-such-model", "openai"),
        ("gpt-6.1-sol", "no-such-provider"),
        ("gpt-6.1-sol", None),
        ("text-embedding-3-small", "openai"),
        ("deepseek/deepseek-r1:free", "openrouter"),
        ("sonar-deep-research", "perplexity"),
        ("openai/o3-deep-research", "openrouter"),
        ("gpt-4o-search-preview", "openai"),
        ("gpt-4o-mini-search-preview", "openai"),
        ("gpt-4o-mini-search-preview-2025-03-11", "openai"),
        ("gemini-3.8-flash-image", "google"),
        ("gemini-3.8-flash-image-preview", "google"),
        ("openai/gpt-6.1-sol:online", "openrouter"),
        ("gpt-4-1106-vision-preview", "openai"),
        ("claude-haiku-5-5@4539578763621486", "anthropic"),
        ("claude-haiku-5-5@45395787-63621486", "anthropic"),
        ("claude-haiku-5-5@45395787@63621486", "anthropic"),
        ("claude-haiku-5-5@--1-2-3-4-5-6-7-8--", "anthropic"),
        ("gpt-4o-45395787-63621486", "openai"),
    ],
)
def test_a_model_whose_price_the_list_does_not_bound_has_none(name: str, provider: str | None) -> None:
    spec = model(name, provider)
    assert BOOK.quote(spec, 1_000, NOON, NOON) is None
    assert BOOK.cost(spec, Usage(input_tokens=1, output_tokens=1), NOON) is None
    assert BOOK.facts(spec, NOON) is None


@pytest.mark.parametrize(
    ("name", "provider", "listed"),
    [
        ("gpt-4o-2024-08-06", "openai", "gpt-4o"),
        ("gpt-4-0613", "openai", "gpt-4"),
        ("claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet-4-5"),
        ("claude-haiku-5-5@20261001", "anthropic", "claude-haiku-5-5"),
        ("claude-3-5-sonnet-latest", "anthropic", "claude-3-5-sonnet"),
        ("gemini-3.8-flash-001", "google", "gemini-3.8-flash"),
        ("Gemini-3.8-Flash-Preview-05-20", "google", "gemini-3.8-flash"),
    ],
)
def test_an_edition_of_a_model_has_its_price(name: str, provider: str, listed: str) -> None:
    assert quoted(name, provider) == quoted(listed, provider)


PROFILES = Path(__file__).parents[2] / "profiles"
NAMED = {
    *((spec.name, spec.default_model) for spec in VENDORS.values() if spec.price_provider and spec.default_model),
    *((name.provider, name.model) for name in PRESENT_NAMES.values()),
    *(
        tuple(named.split(":"))
        for file in PROFILES.glob("*.yaml")
        for named in yaml.safe_load(file.read_text())["routing_rules"]["cloud_models"]
    ),
}


def test_every_model_that_we_name_ourselves_has_a_price() -> None:
    assert len(NAMED) >= 8
    for provider, name in NAMED:
        assert BOOK.quote(ModelSpec(provider=VENDORS[provider], model=name), 1_000, NOON, NOON) is not None, name


def test_a_search_model_is_known_by_the_name_that_is_asked_for(listing: Provider) -> None:
    prices = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))
    listing.models.append(ModelInfo(id="m-search", match=ClauseStartsWith("m-search"), prices=prices))
    assert BOOK.facts(model("m-search", "made-up"), NOON) is not None
    assert BOOK.facts(model("m-search-preview", "made-up"), NOON) is None


def test_a_request_is_bounded_at_the_price_of_writing_it_to_the_cache() -> None:
    assert quoted("claude-opus-5-5", "anthropic") == Quote(input=million("5.5", 1_000), output_token_nanos=22_000)


def test_a_surcharge_that_a_vendor_may_take_is_in_the_bound_and_is_charged_where_it_is_told() -> None:
    spec = ModelSpec(provider=VENDORS["anthropic"], model="claude-opus-5-5")
    usage = Usage(input_tokens=0, output_tokens=100)
    listed = BOOK.cost(spec, usage, NOON)
    dearer = BOOK.cost(spec, replace(usage, surcharge_percent=US_PERCENT), NOON)
    bound = BOOK.quote(spec, 0, NOON, NOON)
    assert bound is not None
    assert (listed, dearer) == (Usd(2_000_000), Usd(2_200_000)) == (Usd(2_000_000), Usd(bound.output_token_nanos * 100))


def test_the_tier_is_the_highest_that_so_many_bytes_can_reach() -> None:
    below = quoted("claude-haiku-5-5", "anthropic", 100_000)
    above = quoted("claude-haiku-5-5", "anthropic", 100_001)
    assert below == Quote(input=million("0.1375", 100_000), output_token_nanos=550)
    assert above == Quote(input=million("0.6875", 100_001), output_token_nanos=2_750)


def test_a_fee_for_each_request_is_part_of_the_bound_and_of_the_cost() -> None:
    assert quoted("sonar-pro", "perplexity") == Quote(
        input=million("3", 1_000) + usd("0.014"), output_token_nanos=15_000
    )
    usage = Usage(input_tokens=1_000, output_tokens=100)
    assert BOOK.cost(model("sonar-pro", "perplexity"), usage, NOON) == usd("0.0185")


def test_an_answer_that_may_be_an_image_is_bounded_at_the_price_of_images() -> None:
    assert quoted("gemini-2.5-flash-image", "google").output_token_nanos == 30_000


NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "nanos"),
    [
        (NEW_YEAR - 2 * HOUR, 3_750),
        (NEW_YEAR - HOUR, 7_500),
        (NEW_YEAR - HOUR / 2, 7_500),
        (NEW_YEAR, 7_500),
        ((NEW_YEAR - HOUR / 2).astimezone(timezone(timedelta(hours=9))), 7_500),
    ],
)
def test_a_call_that_may_last_into_a_dearer_price_is_bounded_by_it(start: datetime, nanos: int) -> None:
    assert quoted("gemini-3.8-flash", "google", start=start).output_token_nanos == nanos


def test_a_price_that_is_over_is_not_counted() -> None:
    assert quoted("o3", "openai").output_token_nanos == 8_000


def test_a_cost_is_taken_at_its_own_time() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert BOOK.cost(model("gemini-3.8-flash", "google"), usage, NOON) == usd("0.75")
    assert BOOK.cost(model("gemini-3.8-flash", "google"), usage, NEW_YEAR) == usd("1.50")


def test_tokens_from_the_cache_and_into_it_have_their_own_prices() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=100, cached_tokens=600, cache_write_tokens=300)
    expected = 100 * 4_000 + 600 * 200 + 300 * 5_000 + 100 * 20_000
    assert BOOK.cost(model("claude-opus-5-5", "anthropic"), usage, NOON) == Usd(expected)


def test_parts_above_their_whole_count_as_the_whole() -> None:
    odd = Usage(input_tokens=10, output_tokens=5, cached_tokens=600, cache_write_tokens=400, reasoning_tokens=50)
    assert BOOK.cost(model("claude-opus-5-5", "anthropic"), odd, NOON) == Usd(600 * 200 + 400 * 5_000 + 50 * 20_000)


def test_facts_are_the_window_and_the_list_price_now() -> None:
    assert BOOK.facts(model("gemini-3.8-flash", "google"), NOON) == ModelFacts(
        context_tokens=1_000_000, blended_nanos=3 * 750 + 3_750
    )
    assert BOOK.facts(model("claude-haiku-5-5", "anthropic"), NOON) == ModelFacts(
        context_tokens=1_000_000, blended_nanos=3 * 100 + 500
    )
    declared = BOOK.facts(model("gemini-3.8-flash", "google", context=32_000), NEW_YEAR)
    assert declared == ModelFacts(context_tokens=32_000, blended_nanos=12_000)


def entry(price: str | None, constraint: StartDateConstraint | TimeOfDateConstraint | None = None) -> ConditionalPrice:
    value = None if price is None else Decimal(price)
    return ConditionalPrice(constraint, prices=ModelPrice(input_mtok=value, output_mtok=value))


def between(start: int, end: int, offset_hours: int = 0) -> TimeOfDateConstraint:
    zone = timezone(timedelta(hours=offset_hours))
    return TimeOfDateConstraint(time(start, tzinfo=zone), time(end, tzinfo=zone))


@pytest.fixture
def listing() -> Iterator[Provider]:
    """A list with one provider, `made-up`, to which a test adds models."""
    provider = Provider(id="made-up", name="Made Up", api_pattern="https://made-up.example")
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers=[provider], from_auto_update=False))
    yield provider
    data_snapshot.set_custom_snapshot(None)


def add(listing: Provider, prices: ModelPrice | list[ConditionalPrice]) -> ModelSpec:
    listing.models.append(ModelInfo(id="m", match=ClauseEquals("m"), prices=prices))
    return model("m", "made-up")


@pytest.mark.parametrize(
    ("start_hour", "hours", "nanos"),
    [(12, 1, 1_000), (17, 1, 1_000), (17, 2, 9_000), (18, 1, 9_000), (21, 1, 9_000), (22, 1, 1_000), (23, 23, 9_000)],
)
def test_a_daily_peak_counts_when_the_call_may_touch_it(
    listing: Provider, start_hour: int, hours: int, nanos: int
) -> None:
    spec = add(listing, [entry("1"), entry("9", between(18, 22))])
    start = datetime(2026, 11, 20, start_hour, 30, tzinfo=UTC) - HOUR / 2
    quote = BOOK.quote(spec, 0, start, start + hours * HOUR - timedelta(seconds=1))
    assert quote is not None
    assert quote.output_token_nanos == nanos


@pytest.mark.parametrize(("offset_hours", "from_hour"), [(0, 15), (9, 0), (-9, 6), (9, 16), (-9, 20)])
def test_a_short_peak_inside_the_call_is_found_in_any_time_zone(
    listing: Provider, offset_hours: int, from_hour: int
) -> None:
    peak = between(from_hour, from_hour + 1, offset_hours)
    spec = add(listing, [entry("1"), entry("9", peak)])
    start = datetime.combine(NOON.date(), peak.start_time).astimezone(UTC)
    for days in range(-1, 2):
        moment = start + timedelta(days=days)
        quote = BOOK.quote(spec, 0, moment - HOUR, moment + 2 * HOUR)
        assert quote is not None
        assert quote.output_token_nanos == 9_000


@pytest.mark.parametrize("missing", [None, "0"])
def test_a_price_that_is_missing_for_a_part_of_the_call_is_unknown(listing: Provider, missing: str | None) -> None:
    spec = add(listing, [entry("1"), entry(missing, StartDateConstraint(date(2026, 11, 21)))])
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    assert BOOK.quote(spec, 0, midnight - HOUR, midnight - HOUR / 2) is not None
    assert BOOK.quote(spec, 0, midnight - HOUR, midnight + HOUR) is None
    assert BOOK.cost(spec, Usage(input_tokens=1, output_tokens=1), midnight) is None
    assert BOOK.facts(spec, midnight) is None


def test_a_lower_tier_that_is_dearer_is_the_bound(listing: Provider) -> None:
    tiers = TieredPrices(base=Decimal(1), tiers=[Tier(100, Decimal(9)), Tier(1_000, Decimal(2))])
    spec = add(listing, ModelPrice(input_mtok=tiers, output_mtok=tiers))
    quote = BOOK.quote(spec, 5_000, NOON, NOON)
    assert quote is not None
    assert quote.output_token_nanos == 9_000


def test_a_fraction_of_a_nano_dollar_is_rounded_up(listing: Provider) -> None:
    spec = add(listing, ModelPrice(input_mtok=Decimal("0.0001"), output_mtok=Decimal("0.0001")))
    assert BOOK.cost(spec, Usage(input_tokens=1, output_tokens=1), NOON) == Usd(1)
    assert BOOK.facts(spec, NOON) == ModelFacts(context_tokens=None, blended_nanos=1)
    quote = BOOK.quote(spec, 0, NOON, NOON)
    assert quote is not None
    assert quote.output_token_nanos == 1


PRICED = [
    (provider.id, info.id)
    for provider in data_snapshot.get_snapshot().providers
    for info in provider.models
    if BOOK.facts(model(info.id, provider.id), NOON) is not None
]


def test_most_of_the_list_has_a_price() -> None:
    assert len(PRICED) > 1_800


DAYS = st.integers(min_value=-900, max_value=400)
COUNTS = st.integers(min_value=0, max_value=1_500_000)


@settings(max_examples=500, deadline=None)
@given(
    named=st.sampled_from(PRICED),
    days=DAYS,
    window_s=st.integers(min_value=0, max_value=90_000),
    at=st.floats(min_value=0, max_value=1),
    counts=st.tuples(COUNTS, COUNTS, COUNTS, st.integers(0, 200_000), st.integers(0, 200_000)),
    slack=st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)),
)
def test_no_usage_within_its_limits_costs_more_than_its_bound(
    named: tuple[str, str],
    days: int,
    window_s: int,
    at: float,
    counts: tuple[int, int, int, int, int],
    slack: tuple[int, int],
) -> None:
    spec = model(named[1], named[0])
    start = NOON + timedelta(days=days, seconds=days * 977)
    moment = start + timedelta(seconds=round(window_s * at))
    input_tokens, cached, written, output, reasoning = counts
    usage = Usage(
        input_tokens=max(input_tokens, cached + written),
        output_tokens=max(output, reasoning),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )
    quote = BOOK.quote(spec, usage.input_tokens + slack[0], start, start + timedelta(seconds=window_s))
    cost = BOOK.cost(spec, usage, moment)
    assert quote is None or (cost is not None and cost <= quote.bound(usage.output_tokens + slack[1]))


def test_every_priced_model_can_be_costed_with_every_kind_of_token() -> None:
    usage = Usage(input_tokens=900, output_tokens=90, cached_tokens=300, cache_write_tokens=200, reasoning_tokens=40)
    for provider, name in PRICED:
        cost = BOOK.cost(model(name, provider), usage, NOON)
        assert cost is not None
        assert ZERO < cost <= quoted(name, provider, 900).bound(90)


WITHOUT_THE_LIST = """
import sys
from hybrid_mcp.providers.prices import GenaiPrices
GenaiPrices()
print([name for name in sys.modules if name.startswith(("genai_prices", "httpx"))])
"""


def test_the_list_is_not_loaded_before_a_price_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_LIST], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
