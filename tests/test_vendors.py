"""The built-in rows are checked against the price list and against the default whitelist's rules."""

from __future__ import annotations

import pytest
from genai_prices.data_snapshot import get_snapshot

from hybrid_mcp.config.endpoint import parse_base_url
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import ALIASES, PRESENT_NAMES, VENDORS

ROWS = [pytest.param(row, id=name) for name, row in VENDORS.items()]
CLOUD = [row for row in VENDORS.values() if not row.local]


def _known(provider: str | None, model: str) -> bool:
    try:
        get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return False
    return True


@pytest.mark.parametrize("row", ROWS)
def test_a_row_tells_the_host_of_its_own_address(row: ProviderSpec):
    if row.base_url is None:
        assert (row.kind, row.host) == ("embedded", None)
        return
    endpoint = parse_base_url(row.base_url)
    assert (row.base_url, row.host, row.loopback) == (endpoint.url, endpoint.host, endpoint.loopback)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_either_on_this_machine_and_free_or_far_encrypted_and_needs_a_key(row: ProviderSpec):
    if row.loopback:
        assert row.local
        assert not row.must_be_whitelisted
        assert (row.key_needed, row.api_key_env, row.price_provider) == (False, (), None)
    else:
        assert (row.base_url or "").startswith("https://")
        assert row.must_be_whitelisted
        assert (row.local, row.key_needed) == (False, True)
        assert row.api_key_env


def test_no_address_stands_twice():
    addresses = [(row.host, parse_base_url(row.base_url).port) for row in VENDORS.values() if row.base_url]
    assert len(addresses) == len(set(addresses))


def test_every_price_list_and_default_model_is_known_to_genai_prices():
    ids = {provider.id for provider in get_snapshot().providers}
    assert {row.price_provider for row in CLOUD} - {None} <= ids
    for row in CLOUD:
        if row.default_model is not None:
            assert _known(row.price_provider, row.default_model), row.name


@pytest.mark.parametrize("old", list(PRESENT_NAMES))
def test_an_old_name_means_a_model_that_has_a_price(old: str):
    present = PRESENT_NAMES[old]
    assert _known(VENDORS[present.provider].price_provider, present.model)


def test_an_alias_means_a_vendor_with_a_default_model():
    assert {name: VENDORS[vendor].name for name, vendor in ALIASES.items()} == {
        "gemini": "gemini",
        "claude": "anthropic",
        "openai": "openai",
    }
    assert all(VENDORS[vendor].default_model for vendor in ALIASES.values())


def test_the_rows_cannot_be_changed():
    with pytest.raises(TypeError):
        VENDORS["other"] = VENDORS["openai"]  # pyright: ignore[reportIndexIssue]
