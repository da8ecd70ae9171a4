"""Makes pydantic's JSON schemas small: every byte of `tools/list` is paid for in each client's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

Schema = dict[str, Any]


def compact_input(schema: Mapping[str, Any]) -> Schema:
    """The same schema without titles, with definitions inlined, and closed against unknown arguments.

    That a field may also be null is not told: null means what leaving it out means, and that is shorter.
    """
    root = _root(schema)
    fields = cast("Mapping[str, Schema]", root.get("properties", {}))
    known = {name: _without_null(field) for name, field in fields.items()}
    return {**root, "properties": known, "additionalProperties": False}


def compact_output(schema: Mapping[str, Any]) -> Schema:
    """The names and types of a result's fields.

    What a field holds inside is left out, and shows itself in each result; so is the list of required fields, because a
    result has all of them.
    """
    root = _root(schema)
    fields = cast("Mapping[str, Schema]", root.get("properties", {}))
    return {"type": "object", "properties": {name: _outline(field) for name, field in fields.items()}}


def _outline(field: Schema) -> Schema:
    if "anyOf" in field:
        # Only models read schemas of results, and they know a list of types. The values of our enums are texts.
        return {"type": [one.get("type", "string") for one in cast("list[Schema]", field["anyOf"])]}
    return {"type": field["type"]} if field.get("type") in {"array", "object"} else field


def _root(schema: Mapping[str, Any]) -> Schema:
    definitions = cast("Mapping[str, Schema]", schema.get("$defs", {}))
    without = {key: value for key, value in schema.items() if key != "$defs"}
    return cast("Schema", _compact(without, definitions))


def _compact(node: object, definitions: Mapping[str, Schema]) -> object:
    if isinstance(node, list):
        return [_compact(item, definitions) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("Schema", node)
    if "$ref" in schema:
        return _compact(definitions[str(schema["$ref"]).rsplit("/", 1)[-1]], definitions)
    small = {key: _member(key, value, definitions) for key, value in schema.items() if key != "title"}
    if "enum" in small:
        # The values tell their type.
        small.pop("type", None)
    if "default" in small and not small["default"]:
        # Nothing, as one would expect.
        del small["default"]
    if small.get("additionalProperties") is True:
        del small["additionalProperties"]
    return small


def _without_null(field: Schema) -> Schema:
    kinds = [one for one in cast("list[Schema]", field.get("anyOf", [])) if one != {"type": "null"}]
    if len(kinds) != 1:
        return field
    return {**kinds[0], **{key: value for key, value in field.items() if key != "anyOf"}}


def _member(key: str, value: object, definitions: Mapping[str, Schema]) -> object:
    if key == "properties":
        # Here the keys are names of fields, of which one may well be called `title`.
        fields = cast("Mapping[str, object]", value)
        return {name: _compact(field, definitions) for name, field in fields.items()}
    return _compact(value, definitions)
