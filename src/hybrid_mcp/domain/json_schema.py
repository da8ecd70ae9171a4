"""JSON schemas as they are sent to servers that hold a model to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

SCHEMA_NAME = "answer"
_STRICT = frozenset({
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "definitions", "description", "enum", "items",
    "properties", "required", "title", "type",
})  # fmt: skip
"""Keywords that OpenAI's strict mode and Anthropic's output format take; of the others each refuses some."""
_ONE = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_MANY = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_EXPRESSIONS = frozenset({"pattern", "patternProperties", "format"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})

GRAMMAR_NODES = 400
GRAMMAR_COUNT = 100
"""llama.cpp's time and memory for a grammar grow faster than the schema; up to here it takes some milliseconds."""

Schema = Mapping[str, Any]


def parsed(schema: str) -> Schema:
    """A schema that was checked already."""
    return cast("Schema", json.loads(schema))


def words_in(schema: str) -> str:
    """All names and texts of a schema, a line each, as a model reads them: without JSON's escapes."""
    try:
        return "\n".join(_words(json.loads(schema)))
    except (ValueError, RecursionError):
        return ""


def nodes_in(node: object) -> int:
    """How many values there are in it, itself among them."""
    if isinstance(node, Mapping):
        return 1 + sum(map(nodes_in, cast("Schema", node).values()))
    if isinstance(node, list):
        return 1 + sum(map(nodes_in, cast("list[object]", node)))
    return 1


def subschemas(node: object) -> Iterator[Schema]:
    """The schema and all schemas in it, but not what only looks like one among values and examples."""
    if not isinstance(node, Mapping):
        return
    schema = cast("Schema", node)
    yield schema
    for key, value in schema.items():
        inner: list[object] = []
        if key in _ONE:
            inner = [value]
        elif key in _MANY and isinstance(value, list):
            inner = cast("list[object]", value)
        elif key in _NAMED and isinstance(value, Mapping):
            inner = list(cast("Schema", value).values())
        for one in inner:
            yield from subschemas(one)


def is_object(schema: Schema) -> bool:
    """Whether every answer is an object: the vendors take no other schema."""
    return schema.get("type") == "object"


def is_strict(schema: Schema) -> bool:
    """Whether a server that knows only a part of JSON schema can guarantee it: closed objects all of whose properties
    are required, and no keyword that such servers refuse."""
    return is_object(schema) and all(map(_is_strict, subschemas(schema)))


def can_be_held(schema: str) -> bool:
    """Whether there is a schema, and a server that makes a grammar of it does so in no time."""
    return bool(schema) and _fits_grammar(parsed(schema))


def _fits_grammar(schema: Schema) -> bool:
    """Small, without large counts, and without a caller's expressions."""
    if nodes_in(schema) > GRAMMAR_NODES:
        return False
    parts = list(subschemas(schema))
    counts = (part[key] for part in parts for key in _COUNTS & part.keys())
    small = all(isinstance(count, (int, float)) and count <= GRAMMAR_COUNT for count in counts)
    return small and not any(_EXPRESSIONS & part.keys() for part in parts)


def _is_strict(schema: Schema) -> bool:
    if schema.keys() - _STRICT or isinstance(schema.get("type"), list):
        return False
    return _is_closed(schema) if schema.get("type") == "object" or "properties" in schema else True


def _is_closed(schema: Schema) -> bool:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return False
    names = {name for name in cast("list[object]", required) if isinstance(name, str)}
    return schema.get("additionalProperties") is False and names >= set(cast("Schema", properties))


def _words(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for key, value in cast("Schema", node).items():
            yield key
            yield from _words(value)
    elif isinstance(node, list):
        for one in cast("list[object]", node):
            yield from _words(one)
