"""Schemas come from callers and answers from models: neither may raise, run for long, or reach for anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.json_schema import is_strict
from hybrid_mcp.structured import Mismatch, check_schema, json_in, mismatch

CITY = {
    "type": "object", "additionalProperties": False, "required": ["name"],
    "properties": {"name": {"type": "string"}, "people": {"$ref": "#/$defs/count"}},
    "$defs": {"count": {"type": "integer", "minimum": 0}},
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYWORDS = st.sampled_from([
    "type", "properties", "required", "items", "enum", "const", "anyOf", "allOf", "not", "$ref", "$defs", "minimum",
    "maxLength", "pattern", "patternProperties", "additionalProperties", "if", "then", "prefixItems", "multipleOf",
    "dependentRequired", "contains", "propertyNames", "$id", "$schema", "uniqueItems", "format",
])  # fmt: skip
SCHEMAS = st.dictionaries(
    KEYWORDS, ANYTHING | st.sampled_from(["object", "string", "#", "#/$defs/a", "http://127.0.0.1:1/s"]), max_size=5
)


def wrong(schema: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        check_schema(schema if isinstance(schema, str) else json.dumps(schema))
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"name": "Paris"}', None),
        ('{"name": "Paris", "people": 2100000}', None),
        ('{"people": 1}', Mismatch(what="`required` does not hold", place="$")),
        ('{"name": 5}', Mismatch(what="`type` does not hold", place="$.name")),
        ('{"name": "x", "people": -1}', Mismatch(what="`minimum` does not hold", place="$.people")),
        ('{"name": "x", "more": 1}', Mismatch(what="`additionalProperties` does not hold", place="$")),
        ('{"name": "x", "people": NaN}', Mismatch(what="it is no JSON")),
        ("The city is Paris.", Mismatch(what="it is no JSON")),
        ('{"name": "x"', Mismatch(what="it is no JSON")),
        ("[" * 100_000, Mismatch(what="it is no JSON")),
    ],
)
def test_an_answer_is_held_to_its_schema(answer: str, found: Mismatch | None):
    schema = json.dumps(CITY)
    check_schema(schema)
    assert mismatch(answer, schema) == found


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("{", "cannot be read"),
        ("[1]", "must be an object"),
        ({"type": "number of things"}, "no valid JSON schema"),
        ({"$ref": "https://example.com/schema"}, "nothing is fetched"),
        ({"properties": {"a": {"$ref": "other.json#/a"}}}, "nothing is fetched"),
        ({"$id": "https://example.com/", "$ref": "#/$defs/a"}, "nothing is fetched"),
        ({"items": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "nothing is fetched"),
        ("{" + '"items":{' * 60 + "}" * 61, "at most 2,000 on 40 are checked"),
        ('{"allOf": [' + "{}," * 5_000 + "{}]}", "at most 2,000 on 40 are checked"),
        ({"type": [0, *range(1_000, 2_500)]}, "no valid JSON schema"),
        ('{"const": 1e999}', "usual numbers"),
        ('{"const": Infinity}', "usual numbers"),
        ('{"const": 1' + "0" * 400 + "}", "usual numbers"),
        ('{"const": "\\ud800"}', "plain text"),
        ({"$ref": "#/$defs/none"}, "nothing is fetched"),
        ({"$ref": "#/enum/0", "enum": [1]}, "nothing is fetched"),
        ({"$ref": "#/$defs/a%2Fb", "$defs": {"a/b": {}}}, "nothing is fetched"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_what_to_do(schema: object, told: str):
    assert told in wrong(schema)


def test_a_schema_that_asks_for_exponential_work_is_given_up():
    doubled: dict[str, Any] = {
        f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(30)
    }  # fmt: skip
    schema = json.dumps({"$ref": "#/$defs/d0", "$defs": {**doubled, "d30": {"type": "string"}}})
    check_schema(schema)
    too_long = Mismatch(what="checking it takes too long: simplify the schema", mendable=False)
    assert mismatch("1", schema) == too_long
    many = {"items": {"enum": [[number] for number in range(900)]}}
    assert mismatch(json.dumps([[899]] * 20_000), json.dumps(many)) == too_long


@pytest.mark.parametrize(
    ("answer", "schema", "matches"),
    [
        ("1.0", {"const": 1}, True),
        ("true", {"const": 1}, False),
        ('{"b": 2, "a": [1.0]}', {"enum": [{"a": [1], "b": 2}]}, True),
        ('"1"', {"enum": [1, "one"]}, False),
        ("1e999", {"multipleOf": 0.01}, False),
        ("1" + "0" * 350, {"multipleOf": 0.01}, False),
        ('{"$id": 1}', {"properties": {"$id": {"type": "integer"}}}, True),
    ],
)
def test_values_are_compared_as_json_schema_says(answer: str, schema: dict[str, Any], matches: bool):
    check_schema(json.dumps(schema))
    assert (mismatch(answer, json.dumps(schema)) is None) is matches


@pytest.mark.parametrize(
    "hostile",
    [
        {"properties": {"a": {"pattern": "(a+)+$"}}},
        {"patternProperties": {"(a+)+$": {}}, "additionalProperties": False, "unevaluatedProperties": False},
    ],
)
def test_no_regular_expression_of_a_caller_is_run(hostile: dict[str, Any]):
    schema, name = json.dumps(hostile), "a" * 60 + "!"
    check_schema(schema)
    assert mismatch(json.dumps({name: 1, "a": name}), schema) is None


def test_a_schema_that_refers_to_itself_for_ever_is_a_mismatch():
    check_schema('{"$ref": "#"}')
    found = mismatch("1", '{"$ref": "#"}')
    assert found is not None
    assert not found.mendable


@given(schema=SCHEMAS, answer=ANYTHING)
def test_nothing_makes_it_raise_and_nothing_of_the_answer_is_told(schema: dict[str, Any], answer: Any):
    text = json.dumps(schema)
    try:
        check_schema(text)
    except InvalidRequest:
        return
    secret = "SEALED-WORD"
    found = mismatch(json.dumps({secret: answer}), text)
    assert found is None or secret not in found.what


@pytest.mark.parametrize(
    ("text", "json_text"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('\n {"a": 1}\n', '{"a": 1}'),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('```\n{"a": "```"}\n```\n', '{"a": "```"}'),
        ("Here it is: {}", "Here it is: {}"),
    ],
)
def test_a_fence_around_json_is_taken_away(text: str, json_text: str):
    assert json_in(text) == json_text


def closed(**properties: object) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (closed(a=TEXT), True),
        (closed(pattern=TEXT), True),
        (closed(a=closed(b={"type": "array", "items": TEXT})), True),
        ({**closed(a=TEXT), "required": []}, False),
        ({**closed(a=TEXT), "additionalProperties": True}, False),
        (closed(a={"type": "integer", "minimum": 1}), False),
        (closed(a={"type": "object"}), False),
        ({"type": "array", "items": TEXT}, False),
        ({**closed(a=TEXT), "examples": [{"definitions": ["to move"]}]}, False),
        (closed(a={"enum": [{"properties": 1}, "$defs"]}), True),
        ({**closed(a=TEXT), "required": "a"}, False),
        (CITY, False),
    ],
)
def test_only_closed_schemas_of_plain_keywords_are_strict(schema: dict[str, Any], strict: bool):
    assert is_strict(schema) is strict
