"""What models cost: the price that the owner declared, else the list that genai-prices ships. Nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from hybrid_mcp.domain.budget import Quote
from hybrid_mcp.domain.completion import Usage
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ModelSpec, Price, ProviderSpec
from hybrid_mcp.ports import ModelFacts

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

    Listing = tuple[Provider, ModelInfo]

FRAMING_TOKENS = 256
"""Upper bound of what chat templates add to a request; the longest known, of gpt-oss, adds about 100."""
_TOKENS_PER_PRICE = 1_000_000
_NANOS_PER_TOKEN = 1_000
"""Nano-dollars a token where the list says one dollar per million tokens."""

# Every way in which the tokens of a text may be billed; the dearest bounds them all. The request never asks for a cache
# of an hour, which costs more. An answer of another kind than text is counted in the same output tokens.
_INPUT = ("input_mtok", "cache_write_mtok", "cache_read_mtok")
_OUTPUT = ("output_mtok", "output_reasoning_mtok", "output_audio_mtok", "output_image_mtok", "output_video_mtok")

US_PERCENT = 10
MOST_SURCHARGE_PERCENT: Mapping[str, int] = MappingProxyType({"anthropic": US_PERCENT})
"""What a vendor may add to its list price. Anthropic: where a workspace has its requests answered in the US alone,
which a request cannot prevent for every model (its pricing page, Data residency)."""

_SEARCHING = re.compile(r"sonar|deep-research|search-(?:preview|api)")
"""Models that search the web by themselves, as often as they like, for a fee each time."""
_EDITION = re.compile(
    r"(?!(?:\D*\d){9})"
    r"(?:@(?:latest|default|\d{4}-\d\d-\d\d|\d{1,8})"
    r"|-(?:latest|preview|\d{4}-\d\d-\d\d|\d\d-\d\d(?:\d\d)?|\d{8}|\d{6}|\d{3,4}))+$"
)
"""What names an edition of the same model: a date, a version of three digits, `latest`, `preview`: at most 8 digits."""


class GenaiPrices:
    """ports.PriceBook. A price of zero in the list counts as unknown: a free model is for its owner to declare."""

    def quote(self, model: ModelSpec, request_bytes: int, start: datetime, end: datetime) -> Quote | None:
        """The bound for a request of so many UTF-8 bytes: byte-level tokenizers make no more tokens than bytes."""
        tokens = request_bytes + FRAMING_TOKENS
        declared = _declared(model.provider)
        if declared is not None:
            return Quote(input=Usd(declared.input_nanos * tokens), output_token_nanos=declared.output_nanos)
        listing = _find(model)
        if listing is None:
            return None
        _, info = listing
        prices = [info.get_prices(moment) for moment in _moments(info, start, end)]
        if not all(_is_sold_by_token(model, info, price) for price in prices):
            return None
        surcharge = MOST_SURCHARGE_PERCENT.get(model.provider.price_provider or "", 0)
        return _dearest(_bound(price, tokens, surcharge) for price in prices)

    def cost(self, model: ModelSpec, usage: Usage, at: datetime) -> Usd | None:
        """The price at the time `at`. Parts that are larger than their whole count as the whole."""
        read, write = max(0, usage.cached_tokens), max(0, usage.cache_write_tokens)
        input_tokens = max(0, usage.input_tokens, read + write)
        output_tokens = max(0, usage.output_tokens, usage.reasoning_tokens)
        declared = _declared(model.provider)
        if declared is not None:
            return Usd(declared.input_nanos * input_tokens + declared.output_nanos * output_tokens)
        listing = _find(model)
        if listing is None or not _is_sold_by_token(model, listing[1], listing[1].get_prices(at)):
            return None
        provider, info = listing
        counts = {
            "input_tokens": input_tokens,
            "cache_read_tokens": read,
            "cache_write_tokens": write,
            "output_tokens": output_tokens,
            "output_reasoning_tokens": max(0, usage.reasoning_tokens),
        }
        listed = info.calc_price(counts, provider, genai_request_timestamp=at).total_price
        return Usd.cost(listed * (100 + usage.surcharge_percent) / 100)

    def facts(self, model: ModelSpec, at: datetime) -> ModelFacts | None:
        """Context window and list price at the time `at`; what the owner declared goes first."""
        spec, declared, listing = model.provider, _declared(model.provider), _find(model)
        listed = listing[1].context_window if listing is not None else None
        context = listed if spec.context_tokens is None else spec.context_tokens
        if declared is not None:
            return ModelFacts(context_tokens=context, blended_nanos=3 * declared.input_nanos + declared.output_nanos)
        if listing is None or not _is_sold_by_token(model, listing[1], price := listing[1].get_prices(at)):
            return None
        blended = 3 * _base(price.input_mtok) + _base(price.output_mtok)
        return ModelFacts(context_tokens=context, blended_nanos=_up(blended * _NANOS_PER_TOKEN))


def _declared(spec: ProviderSpec) -> Price | None:
    return Price(input_nanos=0, output_nanos=0) if spec.local else spec.price


def _find(model: ModelSpec) -> Listing | None:
    if model.provider.local or model.provider.price_provider is None:
        return None
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 0.2 s, and a local model needs none of it

    try:
        listing = get_snapshot().find_provider_model(model.model, None, model.provider.price_provider, None)
    except LookupError:
        return None
    return listing if _without_edition(model.model) == _without_edition(listing[1].id) else None


def _without_edition(name: str) -> str:
    """The name without its edition. The list also takes names that only begin alike, of dearer models too."""
    return _EDITION.sub("", name.lower())


def _moments(info: ModelInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Both ends and every moment between them at which the price may change: it is constant from one to the next."""
    yield start
    yield end
    if isinstance(info.prices, list):
        changes = {time(0, tzinfo=UTC)}
        for entry in info.prices:
            changes |= {getattr(entry.constraint, name, time(0, tzinfo=UTC)) for name in ("start_time", "end_time")}
        day = start.astimezone(UTC).date() - timedelta(days=1)
        while day <= end.astimezone(UTC).date() + timedelta(days=1):
            for change in changes:
                moment = datetime.combine(day, change if change.tzinfo else change.replace(tzinfo=UTC))
                if start < moment < end:
                    yield moment
            day += timedelta(days=1)


def _is_sold_by_token(model: ModelSpec, info: ModelInfo, price: ModelPrice) -> bool:
    """Whether the listed prices bound what a text costs: an answer may cost searches that the list leaves out."""
    names = f"{model.model.lower()} {info.id}"
    searches = _SEARCHING.search(names) is not None and price.requests_kcount is None
    return not searches and _base(price.input_mtok) > 0 and _base(price.output_mtok) > 0


def _bound(price: ModelPrice, tokens: int, surcharge_percent: int) -> Quote:
    factor = Decimal(100 + surcharge_percent) / 100
    dollars = max(_highest(getattr(price, name), tokens) for name in _INPUT) * tokens / _TOKENS_PER_PRICE
    per_request = _highest(price.requests_kcount, tokens) / 1_000
    output = max(_highest(getattr(price, name), tokens) for name in _OUTPUT)
    return Quote(
        input=Usd.cost((dollars + per_request) * factor), output_token_nanos=_up(output * _NANOS_PER_TOKEN * factor)
    )


def _dearest(quotes: Iterable[Quote]) -> Quote:
    bounds = list(quotes)
    return Quote(
        input=max(bound.input for bound in bounds),
        output_token_nanos=max(bound.output_token_nanos for bound in bounds),
    )


def _highest(price: Decimal | TieredPrices | None, tokens: int) -> Decimal:
    """The dearest of the tiers that up to so many input tokens can reach: crossing into a tier reprices all of them."""
    if price is None or isinstance(price, Decimal):
        return price or Decimal(0)
    return max(price.base, *(tier.price for tier in price.tiers if tier.start < tokens), Decimal(0))


def _base(price: Decimal | TieredPrices | None) -> Decimal:
    if price is None or isinstance(price, Decimal):
        return price or Decimal(0)
    return price.base


def _up(number: Decimal) -> int:
    return int(number.to_integral_value(rounding=ROUND_CEILING))
