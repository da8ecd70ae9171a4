"""The `providers` of a profile, merged over the built-in rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hybrid_mcp.config import fields, scalars
from hybrid_mcp.config.endpoint import Endpoint, parse_base_url, whitelist_problem
from hybrid_mcp.config.fields import Field, Fields, take
from hybrid_mcp.domain.profile import Api, Price, ProviderKind, ProviderSpec
from hybrid_mcp.domain.vendors import EMBEDDED, VENDORS

KEYS = (
    "kind", "base_url", "local", "api_key_env", "price", "default_model", "api", "concurrency", "memory_gb",
    "keep_alive",
)  # fmt: skip
_APIS: tuple[Api, ...] = ("chat", "responses")
_KINDS: tuple[ProviderKind, ...] = ("ollama", "openai", "anthropic")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRows:
    """Every provider by name, and what the profile itself says about `local`."""

    specs: Mapping[str, ProviderSpec]
    declared_local: Mapping[str, bool]


def provider_rows(section: Field | None) -> ProviderRows:
    """The built-in providers and those of the profile.

    A local server of the profile takes the place of the built-in one at the same port of this machine, so that each
    address is asked once, under the terms that the owner declared.

    Raises:
        ConfigError: an entry cannot be used as it stands.
    """
    entries: Fields = {} if section is None or section.is_null else fields.named_entries(section)
    own = {name: _spec(name, entry) for name, entry in entries.items()}
    declared = {name: local for name, entry in entries.items() if (local := _declared_local(entry)) is not None}
    return ProviderRows(specs=without_doubles(dict(VENDORS) | own, frozenset(own)), declared_local=declared)


def without_doubles(specs: Mapping[str, ProviderSpec], own: frozenset[str]) -> Mapping[str, ProviderSpec]:
    """The rows less every built-in local one whose port one of `own` has taken."""
    taken = {port_of(specs[name]) for name in own if specs[name].loopback and specs[name].base_url}
    return {
        name: spec
        for name, spec in specs.items()
        if name in own or not (spec.loopback and spec.base_url) or port_of(spec) not in taken
    }


def port_of(spec: ProviderSpec) -> int:
    """The port of a provider that has an address."""
    return parse_base_url(spec.base_url or "").port


def _declared_local(entry: Field) -> bool | None:
    local = fields.named_entries(entry).get("local")
    return None if local is None else fields.boolean(local)


def _spec(name: str, entry: Field) -> ProviderSpec:
    if not _NAME.fullmatch(name):
        raise entry.wrong("a provider's name has small letters, digits and . _ - (at most 32); choose such a name")
    if name == EMBEDDED.name:
        given = fields.table(entry, ("default_model",))
        return replace(EMBEDDED, default_model=take(given, "default_model", _model, EMBEDDED.default_model))
    given = fields.table(entry, KEYS)
    row = VENDORS.get(name)
    for key in ("kind", "base_url") if row is None else ():
        if key not in given:
            raise entry.wrong(f"has no `{key}`; a provider needs `kind` ({', '.join(_KINDS)}) and `base_url`")
    placed = _placed(name, given, row)
    return _with_terms(placed, given)


def _placed(name: str, given: Fields, row: ProviderSpec | None) -> ProviderSpec:
    """The row with kind and address. At another host a built-in one keeps neither its key nor its prices."""
    spec = row or ProviderSpec(name=name, kind="openai")
    spec = replace(spec, kind=take(given, "kind", lambda field: fields.choice(field, _KINDS), spec.kind))
    local = given.get("local")
    field = given.get("base_url")
    if field is None:
        return spec if local is None else replace(spec, local=_checked_local(local, spec))
    endpoint = fields.parsed(field, parse_base_url)
    if endpoint.host != spec.host:
        spec = replace(spec, api_key_env=(), key_needed=False)
    vendor = _vendor_at(endpoint, spec.kind)
    spec = replace(
        spec,
        base_url=endpoint.url,
        host=endpoint.host,
        loopback=endpoint.loopback,
        local=endpoint.loopback,
        price_provider=vendor and vendor.price_provider,
        bill=vendor and vendor.bill,
        key_path=vendor and vendor.key_path,
    )
    if local is not None:
        spec = replace(spec, local=_checked_local(local, spec))
    _check_reachable(field, endpoint, spec)
    return spec


def _with_terms(spec: ProviderSpec, given: Fields) -> ProviderSpec:
    if key := given.get("api_key_env"):
        spec = replace(spec, api_key_env=(_key_name(key),), key_needed=True)
    if api := given.get("api"):
        spec = replace(spec, api=_api(api, spec.kind))
    if price := given.get("price"):
        declared, context = _price(price)
        spec = replace(spec, price=declared, context_tokens=context)
    return replace(
        spec,
        default_model=take(given, "default_model", _model, spec.default_model),
        concurrency=take(given, "concurrency", lambda field: fields.number(field, _concurrency), None),
        memory_bytes=take(given, "memory_gb", lambda field: fields.number(field, scalars.gigabytes), None),
        keep_alive=take(given, "keep_alive", lambda field: _keep_alive(field, spec.kind), None),
    )


def _keep_alive(field: Field, kind: ProviderKind) -> str:
    if kind != "ollama":
        raise field.wrong(f"is known to providers of kind ollama alone, and this one is of kind {kind}; leave it out")
    return fields.plain(field, scalars.keep_alive)


def _concurrency(text: str) -> int:
    return scalars.whole(text, 1, 1000)


def _vendor_at(endpoint: Endpoint, kind: ProviderKind) -> ProviderSpec | None:
    """The built-in vendor that answers at this host, whatever name the profile gives it."""
    return next((row for row in VENDORS.values() if row.host == endpoint.host and row.kind == kind), None)


def _checked_local(field: Field, spec: ProviderSpec) -> bool:
    local = fields.boolean(field)
    vendor = next((row.name for row in VENDORS.values() if not row.local and _within(spec.host, row.host)), None)
    if local and vendor is not None:
        raise field.wrong(f"{spec.host} belongs to the cloud vendor {vendor}, which is never local; leave `local` out")
    return local


def _within(host: str | None, domain: str | None) -> bool:
    return host is not None and domain is not None and (host == domain or host.endswith(f".{domain}"))


def _check_reachable(field: Field, endpoint: Endpoint, spec: ProviderSpec) -> None:
    problem = plain_http_problem(endpoint, local=spec.local)
    if problem is None and spec.must_be_whitelisted:
        problem = whitelist_problem(endpoint.host, local=spec.local)
    if problem is not None:
        raise field.wrong(problem)


def plain_http_problem(endpoint: Endpoint, *, local: bool) -> str | None:
    """Why prompts may not go there unencrypted, or None where they may."""
    if endpoint.scheme == "https" or endpoint.loopback or local:
        return None
    return (
        f"{endpoint.host} is not this machine, and http would send prompts and keys in the open; use https, or say "
        "`local: true` for a machine of your own (and put its host into the whitelist)"
    )


def _key_name(field: Field) -> str:
    name = fields.text(field)
    if not _KEY_NAME.fullmatch(name):
        # What stands there may be the key itself, so the message does not repeat it.
        raise field.wrong("must be the NAME of an environment variable, such as EXAMPLE_API_KEY; never the key itself")
    return name


def _api(field: Field, kind: ProviderKind) -> Api:
    if kind != "openai":
        raise field.wrong("is for providers of kind openai, which has two APIs; leave it out")
    for api in _APIS:
        if api == fields.text(field):
            return api
    # What stands there may be a key, so the message does not repeat it.
    raise field.wrong(f"must be one of {', '.join(_APIS)}")


def _model(field: Field) -> str:
    return fields.parsed(field, scalars.model_id)


def _price(field: Field) -> tuple[Price | None, int | None]:
    given = fields.table(field, ("input_per_mtok", "output_per_mtok", "context"))
    context = take(given, "context", lambda value: fields.number(value, _context), None)
    money = [key for key in ("input_per_mtok", "output_per_mtok") if key in given]
    if len(money) == 1:
        raise field.wrong(f"has only {money[0]}; give input_per_mtok and output_per_mtok, dollars for a million tokens")
    if not money:
        return None, context
    paid_in, paid_out = (fields.number(given[key], scalars.token_nanos) for key in money)
    return Price(input_nanos=paid_in, output_nanos=paid_out), context


def _context(text: str) -> int:
    return scalars.whole(text, 1, 100_000_000)
