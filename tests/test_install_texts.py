"""Edits of configuration texts: nothing but our own entry changes, whatever else stands there."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.install import jsonc, jsonc_edit, toml_edit

FIELDS = {"command": "/opt/hybrid mcp/bin/hybrid-mcp", "args": ["--profile", "b\u00e9ta"]}
KEY, NAME = "mcpServers", "hybrid"

BLANKS = st.sampled_from(["", "", " ", "\n", "\n  ", "\n\t", "\r\n    "])
COMMENTS = st.sampled_from(["", "", "", '// one, {two} "three"\n', "/* four */", "/* five\n * {\n */", "//\u00a0\n"])
TRIVIA = st.tuples(BLANKS, COMMENTS, BLANKS).map("".join)
WORDS = st.sampled_from(["a", "b", "command", "hybrid", "mcpServers", "\u00fc", "x // y", 'q"\\'])
SCALARS = st.one_of(
    st.sampled_from(["true", "null", "-1.50e+3", "123456789012345678901234567890", "1e999", '"\\ud800"', '"/* no */"']),
    st.text(max_size=4).map(json.dumps),
)


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[str], keys: st.SearchStrategy[str] = WORDS) -> str:
    names = draw(st.lists(keys, unique=True, max_size=3))
    rows = [
        f"{draw(TRIVIA)}{json.dumps(name)}{draw(TRIVIA)}:{draw(TRIVIA)}{draw(values)}{draw(TRIVIA)}" for name in names
    ]
    trailing = "," + draw(TRIVIA) if rows and draw(st.booleans()) else draw(TRIVIA)
    return "{" + ",".join(rows) + trailing + "}"


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    rows = [f"{draw(TRIVIA)}{one}{draw(TRIVIA)}" for one in draw(st.lists(values, max_size=3))]
    return "[" + ",".join(rows) + ("," + draw(TRIVIA) if rows and draw(st.booleans()) else draw(TRIVIA)) + "]"


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(objects(inner), arrays(inner)), max_leaves=4)
OTHER_SERVERS = objects(VALUES, WORDS.filter(lambda word: word != NAME))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A client's whole file: with other settings, with other servers or without any."""
    keys = draw(st.lists(WORDS.filter(lambda word: word != KEY), unique=True, max_size=2))
    rows = [(key, draw(VALUES)) for key in keys]
    if draw(st.booleans()):
        rows.insert(draw(st.integers(0, len(rows))), (KEY, draw(OTHER_SERVERS)))
    body = ",".join(
        f"{draw(TRIVIA)}{json.dumps(key)}{draw(TRIVIA)}:{draw(TRIVIA)}{row}{draw(TRIVIA)}" for key, row in rows
    )
    trailing = "," + draw(TRIVIA) if rows and draw(st.booleans()) else draw(TRIVIA)
    return f"{draw(TRIVIA)}{{{body}{trailing}}}{draw(TRIVIA)}"


def read(text: str) -> tuple[Any, list[str]]:
    """What a text says, an empty object of servers counting as none, and its comments."""
    found = jsonc.parse(text)
    said = cast("dict[str, Any]", jsonc.value(text, found.root))
    if said.get(KEY) == {}:
        del said[KEY]
    return said, [text[start:end] for start, end in found.comments]


@settings(max_examples=40)
@given(documents())
def test_what_is_installed_is_there_and_everything_else_stays(text: str):
    said, comments = read(text)
    changed = jsonc_edit.with_entry(text, KEY, NAME, FIELDS)
    said.setdefault(KEY, {})[NAME] = FIELDS
    assert read(changed) == (said, comments)
    assert jsonc_edit.with_entry(changed, KEY, NAME, FIELDS) == changed


@settings(max_examples=40)
@given(documents())
def test_uninstalling_takes_back_what_installing_did(text: str):
    changed = jsonc_edit.without_entry(jsonc_edit.with_entry(text, KEY, NAME, FIELDS), KEY, NAME)
    assert read(changed) == read(text)


@given(
    st.lists(st.sampled_from(["one", "two", "three"]), unique=True, min_size=1), st.sampled_from(["", ","]), st.data()
)
def test_among_other_servers_every_byte_comes_back(names: list[str], trailing: str, data: st.DataObject):
    newline, unit = data.draw(st.sampled_from(["\n", "\r\n"])), data.draw(st.sampled_from(["  ", "    ", "\t"]))
    notes = st.sampled_from(["", " // note", " /* note */"])
    rows = [f'{unit * 2}"{name}": {{"command": "x"}}' for name in names]
    body = "".join(f"{row},{data.draw(notes)}{newline}" for row in rows[:-1])
    text = newline.join([
        "{", f'{unit}"{KEY}": {{', f"{body}{rows[-1]}{trailing}{data.draw(notes)}", f"{unit}}}", "}", "",
    ])  # fmt: skip
    changed = jsonc_edit.with_entry(text, KEY, NAME, FIELDS)
    assert f'{newline}{unit * 2}"{NAME}": {{{newline}{unit * 3}"command"' in changed
    assert newline == "\n" or "\n" not in changed.replace("\r\n", "")
    assert jsonc_edit.without_entry(changed, KEY, NAME) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpServers": {"a": {"command": "x"}}}',
        '{"a":1}',
        "{}",
        '{\n  "theme": "dark" // mine\n}\n',
        '{\n\t"mcpServers": {\n\t\t"a": {}, // last\n\t\t// "old": {}\n\t}\n}',
    ],
)
def test_a_plain_file_comes_back_byte_for_byte(text: str):
    assert jsonc_edit.without_entry(jsonc_edit.with_entry(text, KEY, NAME, FIELDS), KEY, NAME) == text


def test_an_entry_is_mended_in_place_and_what_its_owner_added_stays():
    entry = '{"command": "old", "env": {"K": "v"}, /* why */ "disabled": true}'
    text = f'{{"mcpServers": {{\n  "hybrid": {entry},\n  "b": {{}}\n}}}}'
    changed = jsonc_edit.with_entry(text, KEY, NAME, FIELDS)
    assert changed == text.replace('"old"', json.dumps(FIELDS["command"])).replace(
        "true}", f'true, "args": {json.dumps(FIELDS["args"], ensure_ascii=False)}}}'
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', 3),
        ('{\n  "a": "no end\n}', 2),
        ("{\n\n  /* no end }", 3),
        ("{} {}", 1),
        ('{"a": 01}', 1),
        ("{'a': 1}", 1),
        ('{"mcpServers": {},\n"mcpServers": {}}', 2),
        ('{"mcpServers": {"hybrid": {},\n\n"hybrid": {}}}', 3),
        ('{"a": 1,\n"mcpServers": []}', 2),
        ("[]", 1),
        ("// nothing else", 1),
        ("[" * 5_000, 1),
    ],
)
def test_a_broken_text_is_refused_with_its_line(text: str, line: int):
    for edit in (
        lambda: jsonc_edit.with_entry(text, KEY, NAME, FIELDS), lambda: jsonc_edit.without_entry(text, KEY, NAME),
    ):  # fmt: skip
        with pytest.raises(jsonc.Broken) as refused:
            edit()
        assert line in {refused.value.line, 1} if text.startswith("[" * 9) else refused.value.line == line


@settings(max_examples=60)
@given(st.text(alphabet='{}[]",:/*\\ntrue1. \n', max_size=40))
def test_any_text_is_either_read_or_refused(text: str):
    try:
        jsonc_edit.with_entry(text, KEY, NAME, FIELDS)
    except jsonc.Broken as refused:
        assert 1 <= refused.line <= text.count("\n") + 1  # noqa: PT017 - both ends are right


# TOML

STATEMENTS = st.sampled_from([
    "", "# a comment [mcp_servers.hybrid]", 'model = "gpt" # which',
    'text = """\n[mcp_servers.hybrid]\ncommand = 1\n"""', "list = [ # why\n  1.50, nan, # more\n  [ 'a]' ],\n]",
    "inline = { a = '#', \"b c\" = [{}] }", "odd.'dotted key'.x = 1979-05-27", "lit = '''\n''x'''''",
    'five = """a"""""',
])  # fmt: skip
TABLES = st.sampled_from([
    "[mcp_servers.other]\ncommand = \"x\"\n[mcp_servers.other.env]\nKEY = 'v'", '[mcp_servers."hy.brid"]\na = 1',
    "[[array]]\na = 1\n\n[[array]]", "[tools] # note\nweb = true",
])  # fmt: skip


@st.composite
def toml_documents(draw: st.DrawFn) -> str:
    parts = [*draw(st.lists(STATEMENTS, unique=True)), *draw(st.lists(TABLES, unique=True))]
    text = "\n".join(parts) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def said(text: str) -> Mapping[str, Any]:
    return tomllib.loads(text, parse_float=str)


@settings(max_examples=40)
@given(toml_documents())
def test_a_toml_file_keeps_everything_else_and_comes_back(text: str):
    changed = toml_edit.with_entry(text, "mcp_servers", NAME, FIELDS)
    expected = dict(said(text))
    expected["mcp_servers"] = {**expected.get("mcp_servers", {}), NAME: FIELDS}
    assert said(changed) == expected
    assert changed.startswith(text)
    assert toml_edit.with_entry(changed, "mcp_servers", NAME, FIELDS) == changed
    back = toml_edit.without_entry(changed, "mcp_servers", NAME)
    assert back == text or (not text.endswith("\n") and back.rstrip("\r\n") == text.rstrip("\r\n"))


def test_a_toml_entry_is_mended_in_place_wherever_it_stands():
    text = (
        'model = "x"\n[mcp_servers.hybrid] # ours\n# why\ncommand = "old" # path\nstartup_timeout_sec = 20\n\n'
        '[mcp_servers.hybrid.env]\nKEY = "v"\n\n[tools]\na = 1\n'
    )
    changed = toml_edit.with_entry(text, "mcp_servers", NAME, {"command": "new", "args": []})
    assert changed == text.replace('"old"', '"new"').replace("# ours\n", "# ours\nargs = []\n")
    gone = toml_edit.without_entry(changed, "mcp_servers", NAME)
    assert gone == 'model = "x"\n# why\n\n[tools]\na = 1\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 2),
        ("a = 1\nmcp_servers = { other = {} }\n", 2),
        ('[mcp_servers]\nhybrid = { command = "x" }\n', 2),
        ("mcp_servers = 1\n", 1),
    ],
)
def test_a_toml_file_that_cannot_be_edited_is_refused_with_its_line(text: str, line: int):
    with pytest.raises(jsonc.Broken) as refused:
        toml_edit.with_entry(text, "mcp_servers", NAME, FIELDS)
    assert refused.value.line == line


def test_what_is_shown_of_an_entry_holds_no_value_but_our_own():
    shown = jsonc_edit.entry_text(
        '{"mcpServers": {"hybrid": {"command": "c", "env": {"K": "s3cret", "L": ["s3cret"]}, "x": ["s3cret"],'
        ' // s3cret\n"args": ["a"]}, "other": {"env": {"K": "s3cret"}}}}',
        KEY, NAME, ("command", "args"),
    )  # fmt: skip
    assert "s3cret" not in shown
    assert re.findall(r'"(\w+)":', shown) == ["hybrid", "command", "env", "K", "L", "x", "args"]
    table = (
        '[mcp_servers.hybrid] # s3cret\ncommand = "c" # s3cret\nenv = { K = "s3cret" }\n'
        '[mcp_servers.hybrid.more]\nk = "s3cret"\n'
    )
    assert "s3cret" not in toml_edit.entry_text(table, "mcp_servers", NAME, ("command", "args"))
