"""Answers in JSON: is a schema usable, and does an answer match it?

Schemas come from callers, and answers from models: neither can make this take long, or reach for anything outside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.json_schema import Schema, parsed

if TYPE_CHECKING:
    from jsonschema import ValidationError

    _Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]

MOST_STEPS = 20_000
"""Keywords that are applied to one answer: a second at the most. References let a small schema ask for 2^n of them."""
MOST_DEPTH = 40
"""Levels of a schema: each costs some frames of Python's stack."""

_FENCED = re.compile(r"\s*```(?:json)?[ \t]*\n(.*?)\s*```\s*", re.DOTALL | re.IGNORECASE)
_PLACE_CHARACTERS = 100
_NOT_APPLIED = (
    "pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "uniqueItems", "format",
)  # fmt: skip
"""A caller's regular expression could be made to run for ever, and `uniqueItems` compares all with all."""
_LEADS_OUT = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary")
"""What makes a reference mean another place than the schema shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """`what` has no word of the answer or the schema. `place` is for the model that wrote the answer."""

    what: str
    place: str = ""


def check_schema(schema: str) -> None:
    """Whether answers can be held to it.

    Raises:
        InvalidRequest: it is no JSON schema (2020-12), refers to something outside of itself, or is too deep.
    """
    if not schema:
        return
    try:
        root = parsed(schema)
        depth = _depth(root)
    except (ValueError, RecursionError):
        raise InvalidRequest(
            "response_schema cannot be read: send a JSON schema of a few levels as an object"
        ) from None
    if not isinstance(root, dict):
        raise InvalidRequest('response_schema must be an object, such as {"type": "object", "properties": {...}}')
    if depth > MOST_DEPTH:
        raise InvalidRequest(f"response_schema is nested more than {MOST_DEPTH} levels deep: send a flatter one")
    if _leads_out(root):
        raise InvalidRequest(
            "response_schema refers to another document or by a name, and nothing is fetched: put definitions into "
            '`$defs` and refer to them as {"$ref": "#/$defs/NAME"}'
        )
    if not _is_schema(root):
        raise InvalidRequest("response_schema is no valid JSON schema (draft 2020-12): mend it and call again")


def json_in(text: str) -> str:
    """The answer without the code fence that many models put around JSON."""
    found = _FENCED.fullmatch(text)
    return found[1].strip() if found else text.strip()


def mismatch(text: str, schema: str) -> Mismatch | None:
    """Why a text is no JSON that matches a schema that was checked; None: it matches.

    Not looked at: `pattern`, `format`, `uniqueItems` and the `unevaluated` keywords.
    """
    try:
        answer = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return Mismatch(what="it is no JSON")
    try:
        return next(_mismatches(answer, parsed(schema)), None)
    except RecursionError:
        return Mismatch(what="it, or the schema, is nested too deeply to be checked")


class _TooMuchWork(Exception):
    pass


def _mismatches(answer: object, schema: Schema) -> Iterator[Mismatch]:
    from referencing import Registry  # noqa: PLC0415 - with jsonschema 0.1 s, and few calls want JSON
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    own = {key: value for key, value in schema.items() if key != "$schema"}
    # An empty registry, which fetches nothing.
    nowhere = cast("Any", Registry)()
    validator = _counting_validator()(own, registry=nowhere)
    try:
        for error in validator.iter_errors(answer):
            yield Mismatch(what=f"`{error.validator}` does not hold", place=_place(error.json_path))
    except Unresolvable:
        yield Mismatch(what="the schema refers to a definition that it does not have")
    except _TooMuchWork:
        yield Mismatch(what="checking it takes too long: simplify the schema")


def _counting_validator() -> Any:
    """One that gives up after `MOST_STEPS` keywords, and runs none of a caller's regular expressions."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415

    extend = cast("Any", validators.extend)  # pyright: ignore[reportUnknownMemberType]

    steps = iter(range(MOST_STEPS))

    def counted(rule: _Rule) -> _Rule:
        def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            if next(steps, None) is None:
                raise _TooMuchWork
            yield from rule(validator, value, instance, schema) or ()

        return apply

    def no_more(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        # It would search every name for the patterns.
        if "patternProperties" not in schema:
            yield from known["additionalProperties"](validator, value, instance, schema) or ()

    known: Mapping[str, _Rule] = Draft202012Validator.VALIDATORS
    rules = {**known, "additionalProperties": no_more, **dict.fromkeys(_NOT_APPLIED, _nothing)}
    return extend(Draft202012Validator, {name: counted(rule) for name, rule in rules.items()})


def _nothing(validator: Any, value: Any, instance: Any, schema: Any) -> None:
    """Implements a keyword that is not looked at."""


def _is_schema(schema: Schema) -> bool:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415

    # Without formats, else it would compile a caller's regular expressions.
    metaschema: Any = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=FormatChecker(formats=()))
    return bool(metaschema.is_valid(dict(schema)))


def _leads_out(node: object, *, root: bool = True) -> bool:
    if isinstance(node, list):
        return any(_leads_out(one, root=False) for one in cast("list[object]", node))
    if not isinstance(node, Mapping):
        return False
    schema = cast("Mapping[str, object]", node)
    named = schema.get("$ref")
    if isinstance(named, str) and not named.startswith("#"):
        return True
    if any(isinstance(schema.get(key), str) for key in (*_LEADS_OUT, *(() if root else ("$schema",)))):
        return True
    return any(_leads_out(value, root=False) for value in schema.values())


def _depth(node: object) -> int:
    if isinstance(node, Mapping):
        return 1 + max(map(_depth, cast("Mapping[str, object]", node).values()), default=0)
    if isinstance(node, list):
        return 1 + max(map(_depth, cast("list[object]", node)), default=0)
    return 0


def _place(path: str) -> str:
    return path if len(path) <= _PLACE_CHARACTERS else f"{path[:_PLACE_CHARACTERS]}..."


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
