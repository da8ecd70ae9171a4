"""Answers in JSON: is a schema usable, and does an answer match it?

Schemas come from callers, and answers from models: neither can make this take long, or reach for anything outside.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.json_schema import Schema, nodes_in, parsed, subschemas

if TYPE_CHECKING:
    from jsonschema import ValidationError

    _Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]

MOST_NODES = 2_000
"""Values in a schema: one of a hundred properties has some hundred."""
MOST_DEPTH = 40
"""Levels of a schema: each costs some frames of Python's stack."""
MOST_WORK = 600_000
"""Units for one answer, a second or two at the most: `RULE_WORK` for a keyword, one for each thing that it looks at.
References let a small schema ask for 2^n keywords."""
RULE_WORK = 20
_CHARACTERS_PER_UNIT = 16
_MOST_DIGITS = 300
"""A whole number with more is no number for most programs, and too large for a fraction."""

_FENCED = re.compile(r"\s*```(?:json)?[ \t]*\n(.*?)\s*```\s*", re.DOTALL | re.IGNORECASE)
_REFERENCE = re.compile(r"#(?:/(\$defs|definitions)/([^/%#]+))?")
_PLACE_CHARACTERS = 100
_NOT_APPLIED = (
    "pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "uniqueItems", "format",
)  # fmt: skip
"""A caller's regular expression could be made to run for ever, and `uniqueItems` compares all with all."""
_LEADS_OUT = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary")
"""What makes a reference mean another place than the schema shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """`what` has no word of the answer or the schema. `place` is for the model that wrote the answer.

    `mendable`: another answer might match.
    """

    what: str
    place: str = ""
    mendable: bool = True


def check_schema(schema: str) -> None:
    """Whether answers can be held to it; takes some milliseconds.

    Raises:
        InvalidRequest: it is no JSON schema (2020-12), refers to something outside of itself, or is too large or deep.
    """
    try:
        root = _loaded(schema)
        depth, nodes = _depth(root), nodes_in(root)
        json.dumps(root, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidRequest(
            "response_schema cannot be read: send a JSON schema of a few levels, with plain text and usual numbers"
        ) from None
    if not isinstance(root, dict):
        raise InvalidRequest('response_schema must be an object, such as {"type": "object", "properties": {...}}')
    if depth > MOST_DEPTH or nodes > MOST_NODES:
        raise InvalidRequest(
            f"response_schema has {nodes:,} values on {depth} levels; at most {MOST_NODES:,} on {MOST_DEPTH} are "
            "checked: send a smaller one, or describe a part of the shape in `prompt`"
        )
    if not _is_schema(cast("Schema", root)):
        raise InvalidRequest("response_schema is no valid JSON schema (draft 2020-12): mend it and call again")
    if _leads_out(cast("Schema", root)):
        raise InvalidRequest(
            "response_schema refers to something that is not in it, or by another name, and nothing is fetched: put "
            'definitions into its `$defs` and refer to them as {"$ref": "#/$defs/NAME"}'
        )


def json_in(text: str) -> str:
    """The answer without the code fence that many models put around JSON."""
    found = _FENCED.fullmatch(text)
    return found[1].strip() if found else text.strip()


def mismatch(text: str, schema: str) -> Mismatch | None:
    """Why a text is no JSON that matches a schema that was checked; None: it matches.

    Not looked at: `pattern`, `format`, `uniqueItems` and the `unevaluated` keywords.
    """
    try:
        answer = _loaded(text)
    except (ValueError, RecursionError):
        return Mismatch(what="it is no JSON")
    try:
        return next(_mismatches(answer, parsed(schema)), None)
    except _TooMuchWork:
        return Mismatch(what="checking it takes too long: simplify the schema", mendable=False)
    except Exception as error:  # noqa: BLE001 - what the library cannot stand must not end a call that was answered
        return Mismatch(what=f"it, or the schema, cannot be checked ({type(error).__name__})", mendable=False)


class _TooMuchWork(Exception):
    pass


class _Work:
    """Counts what is done for one answer, and knows the texts of values that are compared again and again."""

    def __init__(self) -> None:
        self._left = MOST_WORK
        self._texts: dict[int, frozenset[str]] = {}

    def spend(self, *things: object) -> None:
        sizes = (len(thing) for thing in things if isinstance(thing, Sized) and not isinstance(thing, str))
        self._left -= RULE_WORK + sum(sizes)
        if self._left < 0:
            raise _TooMuchWork

    def text_of(self, value: object) -> str:
        text = _canonical(value)
        self._left -= len(text) // _CHARACTERS_PER_UNIT
        return text

    def texts_of(self, values: list[object]) -> frozenset[str]:
        """Of a list that is a part of the schema, and so stays what and where it is."""
        if id(values) not in self._texts:
            self._texts[id(values)] = frozenset(map(self.text_of, values))
        return self._texts[id(values)]


def _mismatches(answer: object, schema: Schema) -> Iterator[Mismatch]:
    from referencing import Registry  # noqa: PLC0415 - with jsonschema 0.1 s, and few calls want JSON

    own = {key: value for key, value in schema.items() if key != "$schema"}
    # An empty registry, which fetches nothing.
    nowhere = cast("Any", Registry)()
    validator = _counting_validator(_Work())(own, registry=nowhere)
    for error in validator.iter_errors(answer):
        yield Mismatch(what=f"`{error.validator}` does not hold", place=_place(error.json_path))


def _counting_validator(work: _Work) -> Any:
    """One that gives up after `MOST_WORK`, and runs none of a caller's regular expressions."""
    from jsonschema import Draft202012Validator, ValidationError, validators  # noqa: PLC0415

    extend = cast("Any", validators.extend)  # pyright: ignore[reportUnknownMemberType]

    def counted(rule: _Rule) -> _Rule:
        def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            work.spend(value, instance)
            yield from rule(validator, value, instance, schema) or ()

        return apply

    def no_more(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        # It would search every name for the patterns.
        if "patternProperties" not in schema:
            yield from known["additionalProperties"](validator, value, instance, schema) or ()

    def one_of_values(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if work.text_of(instance) not in work.texts_of(value):
            yield ValidationError("none of the values")

    def this_value(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if work.text_of(instance) != work.text_of(value):
            yield ValidationError("another value")

    known: Mapping[str, _Rule] = Draft202012Validator.VALIDATORS
    own: dict[str, _Rule] = {"additionalProperties": no_more, "enum": one_of_values, "const": this_value}
    rules = {**known, **own, **dict.fromkeys(_NOT_APPLIED, _nothing)}
    return extend(Draft202012Validator, {name: counted(rule) for name, rule in rules.items()})


def _nothing(validator: Any, value: Any, instance: Any, schema: Any) -> None:
    """Implements a keyword that is not looked at."""


def _is_schema(schema: Schema) -> bool:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    # The metaschema has no word of a caller; formats are left out, else it would compile a caller's expressions.
    metaschema = _counting_metaschema(_Work())(Draft202012Validator.META_SCHEMA)
    try:
        return bool(metaschema.is_valid(dict(schema)))
    except _TooMuchWork:
        return False


def _counting_metaschema(work: _Work) -> Any:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415

    extend = cast("Any", validators.extend)  # pyright: ignore[reportUnknownMemberType]

    def counted(rule: _Rule) -> _Rule:
        def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            work.spend()
            yield from rule(validator, value, instance, schema) or ()

        return apply

    known: Mapping[str, _Rule] = Draft202012Validator.VALIDATORS
    rules = {**known, "uniqueItems": _nothing, "format": _nothing}
    return extend(Draft202012Validator, {name: counted(rule) for name, rule in rules.items()})


def _leads_out(root: Schema) -> bool:
    for part in subschemas(root):
        if any(key in part for key in _LEADS_OUT) or ("$schema" in part and part is not root):
            return True
        if "$ref" in part and not _is_in(root, part["$ref"]):
            return True
    return False


def _is_in(root: Schema, reference: object) -> bool:
    """Whether it means the schema itself or one of its definitions."""
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if found is None:
        return False
    if found[1] is None:
        return True
    definitions, name = root.get(found[1]), found[2].replace("~1", "/").replace("~0", "~")
    return isinstance(definitions, Mapping) and name in definitions


def _loaded(text: str) -> object:
    return json.loads(text, parse_constant=_no_number, parse_float=_fraction, parse_int=_whole)


def _no_number(text: str) -> object:
    raise ValueError("no JSON")


def _fraction(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("too large")
    return number


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("too large")
    return int(text)


def _canonical(value: object) -> str:
    """The same text for values that JSON schema holds to be equal: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True)


def _with_whole_numbers(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _with_whole_numbers(one) for key, one in cast("dict[str, object]", value).items()}
        case list():
            return [_with_whole_numbers(one) for one in cast("list[object]", value)]
        case _:
            return value


def _depth(node: object) -> int:
    if isinstance(node, Mapping):
        return 1 + max(map(_depth, cast("Mapping[str, object]", node).values()), default=0)
    if isinstance(node, list):
        return 1 + max(map(_depth, cast("list[object]", node)), default=0)
    return 0


def _place(path: str) -> str:
    return path if len(path) <= _PLACE_CHARACTERS else f"{path[:_PLACE_CHARACTERS]}..."
