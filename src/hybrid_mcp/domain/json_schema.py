"""JSON schemas as they are sent to servers that hold a model to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

SCHEMA_NAME = "answer"
_NOT_IN_STRICT = frozenset({
    "allOf", "contains", "dependentRequired", "dependentSchemas", "else", "format", "if", "maxItems", "maxLength",
    "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf",
    "pattern", "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems",
    "unevaluatedProperties", "uniqueItems", "exclusiveMaximum", "exclusiveMinimum", "additionalItems", "default",
})  # fmt: skip
"""Keywords that OpenAI's strict mode or Anthropic's output format refuse, for some models at least."""
_OF_NAMES = frozenset({"properties", "$defs", "definitions"})

Schema = Mapping[str, Any]


def parsed(schema: str) -> Schema:
    """A schema that was checked already."""
    return cast("Schema", json.loads(schema))


def is_object(schema: Schema) -> bool:
    """Whether every answer is an object: the vendors take no other schema."""
    return schema.get("type") == "object"


def is_strict(schema: Schema) -> bool:
    """Whether a server that knows only a part of JSON schema can guarantee it: closed objects all of whose properties
    are required, and none of the keywords that such servers refuse."""
    return is_object(schema) and _is_strict(schema)


def _is_strict(node: object) -> bool:
    if isinstance(node, Sequence) and not isinstance(node, str):
        return all(_is_strict(one) for one in cast("Sequence[object]", node))
    if not isinstance(node, Mapping):
        return True
    schema = cast("Schema", node)
    if _NOT_IN_STRICT & schema.keys() or isinstance(schema.get("type"), list):
        return False
    if (schema.get("type") == "object" or "properties" in schema) and not _is_closed(schema):
        return False
    named = (one for key in _OF_NAMES for one in cast("Schema", schema.get(key, {})).values())
    others = (value for key, value in schema.items() if key not in _OF_NAMES and key not in {"enum", "const"})
    return all(map(_is_strict, named)) and all(map(_is_strict, others))


def _is_closed(schema: Schema) -> bool:
    properties = cast("Schema", schema.get("properties", {}))
    required = cast("Sequence[str]", schema.get("required", ()))
    return schema.get("additionalProperties") is False and set(required) >= set(properties)
