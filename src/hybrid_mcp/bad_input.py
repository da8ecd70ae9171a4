"""What is wrong with a call of a tool, in words for a model: what to send instead, and never what was sent."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_TOLD = 5
NAME_CHARACTERS = 40

_WANTED: Mapping[str, str] = {
    "missing": "missing, and it is required",
    "string_type": "must be a text",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number that is not infinite",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_unicode": "holds half a character: send whole Unicode characters",
}
"""Where pydantic's own words are about Python, or longer than they need to be."""


def unknown_tool(name: str, known: Sequence[str]) -> str | None:
    return None if name in known else f"unknown tool: {_short([name])}; {_near(name, known)}Tools: {', '.join(known)}"


def misfits(arguments: Mapping[str, object], schema: Mapping[str, Any]) -> str | None:
    """What pydantic would let pass: unknown arguments, and a truth value for a number. None where nothing is wrong.

    Only names are repeated: a value may be a secret.
    """
    known: Mapping[str, Any] = schema["properties"]
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        near = _near(unknown[0], list(known))
        return f"unknown argument: {_short(unknown)}; {near}Known arguments: {', '.join(known)}"
    wrong = [name for name, value in arguments.items() if isinstance(value, bool) and _is_number(known[name])]
    return f"{wrong[0]}: must be a number, not true or false" if wrong else None


def wrong_arguments(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """Without the input and without pydantic's address, which its own text holds."""
    found = error.errors(include_url=False, include_context=False)
    required: Collection[str] = schema.get("required", ())
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return "; ".join(f"{_place(one['loc'])}: {_wanted(one, required)}" for one in found[:MOST_TOLD]) + more


def _wanted(one: ErrorDetails, required: Collection[str]) -> str:
    words = _WANTED.get(one["type"], one["msg"][:1].lower() + one["msg"][1:])
    if one["input"] is not None:
        return words
    optional = len(one["loc"]) == 1 and one["loc"][0] not in required
    return f"{words}, not null" + (": leave it out instead" if optional else "")


def _is_number(field: Mapping[str, Any]) -> bool:
    kinds: Sequence[Mapping[str, Any]] = field.get("anyOf", [field])
    return any(kind.get("type") in {"integer", "number"} for kind in kinds)


def _place(loc: Iterable[int | str]) -> str:
    return ".".join(str(part)[:NAME_CHARACTERS] for part in loc)


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:NAME_CHARACTERS], known, n=1)
    return f"did you mean {near[0]}? " if near else ""


def _short(names: Sequence[str]) -> str:
    return ", ".join(name[:NAME_CHARACTERS] for name in names[:MOST_TOLD])
