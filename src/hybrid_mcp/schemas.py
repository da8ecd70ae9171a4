"""Makes pydantic's JSON schemas small: every byte of `tools/list` is paid for in each client's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

Schema = dict[str, Any]


def compact(schema: Mapping[str, Any]) -> Schema:
    """The same schema without titles, with definitions inlined and `anyOf` with null written as a list of types."""
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
    return _merge_null(small)


def _member(key: str, value: object, definitions: Mapping[str, Schema]) -> object:
    if key == "properties":
        # Here the keys are names of fields, of which one may well be called `title`.
        fields = cast("Mapping[str, object]", value)
        return {name: _compact(field, definitions) for name, field in fields.items()}
    return _compact(value, definitions)


def _merge_null(schema: Schema) -> Schema:
    options = cast("list[Schema] | None", schema.get("anyOf"))
    if options is None or len(options) != 2 or options[1] != {"type": "null"} or set(options[0]) != {"type"}:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {"type": [options[0]["type"], "null"], **rest}
