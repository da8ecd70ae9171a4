"""The model lists of a profile: `provider:model`, old model names, tiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hybrid_mcp.config import fields, scalars
from hybrid_mcp.config.fields import Field, take
from hybrid_mcp.config.scalars import shown
from hybrid_mcp.config.text_file import named
from hybrid_mcp.config.tree import Table
from hybrid_mcp.domain.profile import ModelName, ProviderSpec, Tier
from hybrid_mcp.domain.vendors import PRESENT_NAMES, VENDORS

_TIERS: tuple[Tier, ...] = ("cheap", "premium")

Specs = Mapping[str, ProviderSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model where it stands in a list; `old_name` is what stands there instead of a present name."""

    field: Field
    name: ModelName
    old_name: str | None = None


def listed_models(field: Field, specs: Specs, *, local: bool) -> tuple[Listed, ...]:
    """The models of `local_models` (`local`) or `cloud_models`.

    Raises:
        ConfigError: a name is not known, or its provider does not belong in this list.
    """
    return tuple(_listed(item, specs, local=local) for item in fields.items(field))


def judging_model(field: Field, specs: Specs) -> ModelName | None:
    """The local model of the key `judge`; None where it says null.

    Raises:
        ConfigError: the name is not known, or its provider is not local.
    """
    if field.is_null:
        return None
    name = _named(field, fields.text(field), specs, local=True)
    if not specs[name.provider].local:
        raise field.wrong(f"{name.provider} is not local; a judge runs on this machine, so that judging costs nothing")
    return name


def without_repeats(models: Iterable[Listed]) -> tuple[tuple[ModelName, ...], tuple[str, ...]]:
    """Each model once, and a notice for each old name.

    Raises:
        ConfigError: a model stands twice, and not because two old names mean the same one now.
    """
    first: dict[str, Listed] = {}
    notices: list[str] = []
    for item in models:
        name = str(item.name)
        if item.old_name is not None:
            notices.append(_old_name_notice(item))
        earlier = first.setdefault(name, item)
        if earlier is not item and item.old_name is None and earlier.old_name is None:
            raise item.field.wrong(f"{shown(name)} stands twice (first in line {earlier.field.line}); keep one of them")
    return tuple(item.name for item in first.values()), tuple(notices)


def _old_name_notice(item: Listed) -> str:
    place = f"{named(item.field.path)}:{item.field.line}: {item.field.key}"
    return f"{place}: {item.old_name} is an old name, and {item.name} is used for it; write {item.name}"


def _listed(item: Field, specs: Specs, *, local: bool) -> Listed:
    field, tier = item, None
    if isinstance(item.node, Table):
        given = fields.table(item, ("model", "tier"))
        if "model" not in given:
            raise item.wrong("has no `model`; write {model: PROVIDER:MODEL, tier: cheap}")
        field = given["model"]
        tier = take(given, "tier", lambda value: fields.choice(value, _TIERS), None)
    written = fields.text(field)
    name = _named(field, written, specs, local=local)
    _check_place(field, specs[name.provider], local=local)
    old_name = written if ":" not in written else None
    return Listed(field=field, name=replace(name, tier=tier), old_name=old_name)


def _named(field: Field, written: str, specs: Specs, *, local: bool) -> ModelName:
    return _present(field, written) if ":" not in written else _split(field, written, specs, local=local)


def _present(field: Field, written: str) -> ModelName:
    present = PRESENT_NAMES.get(written)
    if present is not None:
        return present
    known = {name: str(model) for name, model in PRESENT_NAMES.items()}
    near = {known[name]: None for name in scalars.near(written, known)}
    hint = " or ".join(near) or "openai:gpt-6.1-sol or ollama:llama3:8b"
    raise field.wrong(f"{shown(written)} has no provider; write PROVIDER:MODEL, such as {hint}")


def _split(field: Field, written: str, specs: Specs, *, local: bool) -> ModelName:
    provider, _, model = written.partition(":")
    if provider not in specs:
        raise field.wrong(_unknown_provider(provider, written, specs, local=local))
    try:
        return ModelName(provider=provider, model=scalars.model_id(model))
    except ValueError as error:
        raise field.wrong(str(error)) from None


def _unknown_provider(provider: str, written: str, specs: Specs, *, local: bool) -> str:
    if provider in VENDORS:
        return f"the address of {provider} is taken by a provider of this profile; list the model under that one"
    remedy = f"{scalars.suggestion(provider, specs)} Or declare it under `providers`"
    if local:
        remedy = f"an Ollama model is written {shown(f'ollama:{written}')}; otherwise, {remedy}"
    return f"unknown provider {shown(provider)}; {remedy}"


def _check_place(field: Field, spec: ProviderSpec, *, local: bool) -> None:
    if spec.local == local:
        return
    if local:
        raise field.wrong(f"{spec.name} is not local; list the model under `cloud_models`")
    raise field.wrong(
        f"{spec.name} is local and costs nothing; list the model under `local_models`, or give the provider "
        "`local: false` and a price"
    )
