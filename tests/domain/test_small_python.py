"""What small Python programs print: always what Python prints, or nothing is said."""

from __future__ import annotations

import contextlib
import io
import random
import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.domain.small_python import MOST_CHARACTERS, Ran, ran
from tests.domain.test_answer_signs import NASTY
from tests.support_long import LONG
from tests.support_speed import takes_at_most

KNOWN = [
    "print(51 // 7, 51 % 7, -7 // 2, 7 % -3, 2 ** 10, 10 / 4, 2 ** -1)",
    "x = 15\ny = 8\nprint(x + y)",
    "print(0.1 + 0.2, 1e20, 5.0, 7 // 2.0)",
    "a = [1, 2]\nb = a\nb += [3]\na.append(4)\nprint(a, b, a is None)",
    "a = [1]\na *= 3\na[0] += 5\nprint(a)",
    "a, (b, c) = 1, (2, 3)\na, b = b, a\nprint(a, b, c)",
    "def f(n, seen=[]):\n    seen.append(n)\n    return seen\n\nf(1)\nprint(f(2), f(seen=[], n=3))",
    "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nprint(f(10))",
    "def f():\n    pass\nprint(f())",
    "def f(n: int, m: int = 2) -> int:\n    '''Adds.'''\n    total: int = n + m\n    return total\nprint(f(1))",
    "for i in range(3):\n    if i == 1:\n        continue\n    print(i, end=' ')\nelse:\n    print('done')",
    "i = 0\nwhile True:\n    i += 1\n    if i > 5:\n        break\nprint(i)",
    "for i, word in enumerate(['a', 'b'], 1):\n    print(i, word)",
    "for a, b in zip('abc', [1, 2]):\n    print(f'{a}={b!r}', f'{a}')",
    "d = {'a': 1}\nd['b'] = d.get('c', 5)\nd['a'] += 1\nfor k, v in d.items():\n    print(k, v)\nprint(d, d.keys())",
    "print([x * x for x in range(5) if x % 2], {x: 1 for x in 'ab'}, len({x for x in 'aab'}))",
    "print(sum(x * x for x in range(5)), any(x > 2 for x in [1, 2, 3]), all([]))",
    "print('hello world'.title().split(), ' a '.strip(), 'a-b'.replace('-', '+'), '-'.join(['x', 'y']))",
    "print('abc'.find('c'), 'banana'.count('an'), 'abc'.startswith('a'), 'Abc'.swapcase(), 'abc'.endswith('x'))",
    "print('abc'[::-1], [1, 2, 3][1:], 'abc'[-1], (1, 2)[0], range(10)[2:5], 'ab' * 2, [0] * 3, 2 * (1,))",
    "print(1 < 2 < 3, 1 == 1.0, 'a' in 'abc', 4 not in [1], not 0, None or 'x', 0 and 1, True + 1)",
    "print(max(3, 1), min([3, 1]), abs(-2), round(2.5), round(2.675, 2), int('7'), float('1.5'), bool(''))",
    "print(str(5) + 'x', str(), int(), list(), tuple(), set())",
    "print(list('abc'), tuple([1]), sorted({3, 1, 2}, reverse=True), list(reversed([1, 2])), list(range(5, 0, -2)))",
    "print(*[1, 2], sep=', ')\nprint('a', 'b', sep='')\nprint()",
    "print({1}, {}, set() == {1}, {1, 2} == {2, 1}, len({1, 2}))",
    "print(f'{3:.2f}|{5:>3}|{1234567:,}|{0.5:.0%}')",
    "a = [3, 1, 2]\na.sort()\na.reverse()\na.insert(0, 9)\nprint(a.pop(), a, a.index(9), print(1))",
    "x = 5\ndef f(x):\n    x = x + 1\n    return x\nprint(f(1), x, [x for x in 'ab'], x)",
    "a = [[0] * 2] * 2\na[0][0] = 1\nprint(a)",
    "if __name__ == '__main__':\n    print('a\\nb\\t\"c\"')  # told",
    "list = [1, 2]\nprint(list)",
    "e = enumerate('ab')\nprint([*e], [*e])",
]  # fmt: skip


def python_prints(code: str) -> str:
    written = io.StringIO()
    with contextlib.redirect_stdout(written), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a program's style
        exec(compile(code, "program", "exec"), {"__name__": "__main__"})  # noqa: S102 - of programs made here
    return written.getvalue()


@pytest.mark.parametrize("code", KNOWN)
def test_what_a_small_program_prints_is_known(code: str):
    seen = ran(code)
    assert seen is not None
    assert seen.printed == python_prints(code)


@pytest.mark.parametrize(
    ("code", "value"),
    [("1 + 2", "3"), ("'a' + 'b'", "'ab'"), ("def f(x):\n    return x * 2\nf(3)", "6"), ("[].sort()", "None")],
)
def test_the_value_of_the_last_line_is_known(code: str, value: str):
    assert ran(code) == Ran(printed="", value=value)


@pytest.mark.parametrize(
    "code",
    [
        "print([1][1])", "print(1 / 0)", "print(x)", "print({}['a'])", "print('a' + 1)", "print(int('x'))", "return 1",
        "break", "print(1", "import os\nprint(1)", "print(open('x'))", "print(eval('1'))", "print({1, 2})",
        "for x in {1, 2}:\n    print(x)", "print(len)", "print(zip([1], [2]))", "while True:\n    pass",
        "print(9 ** 9 ** 9)", "print(2 ** 800)", "print('a' * 2000)", "a = []\na.append(a)\nprint(a)", "print(-1j)",
        "a = 'a' * 900\nprint(a.replace('a', a))", "print([0] * 10 ** 12)", "print(list(range(10 ** 12)))",
        "def f():\n    return f()\nf()", "print(1e308 * 10)", "print(b'x')", "print((-8) ** 0.5)",
        "x = lambda: 1\nprint(x())",
        "def f():\n    print(x)\n    x = 1\nx = 2\nf()", "print('%999999d' % 1)", "print(sum([0.1] * 10))",
        "print(...)",
        "print(10 ** 12 in range(10 ** 15) and sum(range(10 ** 9)))", "a = 1\na.real", "print(''.__class__)",
        "x = [0]\nfor i in x:\n    x.append(i)", "x: dict[str] = 1", "print(f'{1:>999999999}')", "@f\ndef g(): pass",
        "print(all(zip(range(10 ** 9), range(1, 10 ** 9))))", "print('a' is 'b')", "print(\"\\d\")",
        "print(1if 1else 2)",
        "print((x for x in [1]))", "f = print\nf(1)", "print('a', file=None)", "print(str(1, 2))", "del x", "x += 1",
        "(" * 300, "-" * 599 + "1", "not " * 140 + "1", "[" * 19 + "]" * 19 + "[0]" * 150, "a" + ".a" * 250, "1" * 500,
        "x = " * 100 + "1", "f(" * 19 + ")" * 19, "1+" * 140 + "1.", " " * 50 + "x", "\x00", "\ud800",
        "print('\\N{DASH}')", "",
    ],
)  # fmt: skip
def test_what_is_not_surely_known_has_no_value(code: str):
    seen = ran(code)
    assert seen is None or seen == Ran(printed="", value=seen.value) != Ran(printed="", value="")


START = "x = 3\ny = 2\nword = 'abc'\nitems = [1, 2]\nd = {'a': 1}\ndef f(a, b=2):\n    return a + b\n"
SIMPLE = {
    "p": "0|1|-1|2",
    "n": "0|1|2|3|7|-4|12|x|y|0.5|2.0|True|f(x)|f(1, b=y)|len(items)|d['a']",
    "t": """'a'|'Hi you'|''|word|'1-2-3'|' x '|"it's"|'\\n'""",
    "q": "items|[]|[3, 1, 2]|(1, 2)|range(4)|[x, y]|list(word)|list(d.values())",
    "v": "d|None|{1}|print(x)|d.items()|x",
    "s": "print(x)|y -= 1|x, y = y, x|items.sort()|items.reverse()|other = items|other += [1]|items[0] += 1",
}
"""By kind: a place in a list, a number, a text, a list, any value, a statement; a bar between them."""
NESTED = {
    "p": "{p}",
    "n": "({n} + {n})|({n} - {n})|({n} * {n})|({n} / {n})|({n} // {n})|({n} % {n})|({n} ** 2)|-{n}|abs({n})"
    "|max({n}, {n})|min({n}, {n})|({n} if {n} > 2 else {n})|({n} and {n})|({n} or {n})|(not {n})|({n} < {n} <= 9)"
    "|({n} == {n})|int({n})|round({n}, 1)|bool({n})|({n} != {n})|round({n})|float({n})|len({q})|sum({q})|max({q})"
    "|min({q})|{q}[{p}]|{q}.count({n})|({n} in {q})|any({q})|all(v > 1 for v in {q})|sum(v * v for v in {q})"
    "|({q} == {q})|({q} < {q})|{q}.index({n})|len({t})|{t}.find({t})|{t}.count({t})|({t} in {t})|({t} < {t})|int({t})",
    "t": "({t} + {t})|{t} * 2|{t}.upper()|{t}.title()|{t}.strip()|{t}.replace({t}, 'z')|{t}[{p}]|{t}[::-1]|{t}[{p}:]"
    "|{t}[:{p}]|str({n})|str({q})|{t}.join(str(v) for v in {q})|{t}.join({t})|({t} or {t})|f'{{x}}-{{y!r}}'"
    "|f'<{{word}}{{items}}>'|f'{{x:.1f}}'|{t}.capitalize()|{t}.lower()|{q}[{p}]",
    "q": "[{n}, {n}]|({n}, {n})|({q} + {q})|{q} * 2|{q}[{p}:]|{q}[::-1]|sorted({q})|list({q})|sorted({q}, reverse=True)"
    "|list(reversed({q}))|list(range({n}))|[v for v in {q}]|[*{q}, {n}]|[v + {n} for v in {q} if v != {n}]"
    "|list(zip({q}, {q}))|list(enumerate({q}))|[{q}, {q}]|{t}.split()|{t}.split({t})|sorted(set({q}))"
    "|list({{v: {n} for v in {q}}})|tuple({q})",
    "v": "{n}|{t}|{q}|({v}, {v})|[{v}]",
    "s": "print({v})|print({v}, {v})|print({v}, {v}, sep='-')|print({v}, end=', ')|x = {v}|x = {n}|y += {n}"
    "|x, y = {n}, {n}|items.append({n})|items[{p}] = {n}|d['b'] = {v}|items += {q}|word = {t}"
    "|items.insert({p}, {n})|d['a'] += {n}|print(*{q})|items.pop({p})|items = {q}|items.extend({q})"
    "|if {n} > {n}:\n  {s}\nelse:\n  {s}|for v in {q}:\n  {s}"
    "|for i, v in enumerate({q}):\n  print(i, v)\n  {s}|for x in range(5):\n  if x == {n}:\n    break\n  {s}"
    "|while y < 5:\n  y += 2\n  {s}|for k, v in d.items():\n  print(k, v)\n  {s}"
    "|def f(a, b=2):\n  {s}\n  return a * b + {n}|def f(a, b=2):\n  x = a\n  {s}"
    "|for v in {q}:\n  if v == 1:\n    continue\n  {s}\nelse:\n  {s}",
}


def made(kind: str, dice: random.Random, depth: int) -> str:
    """Code of the kind, nested as deep as that."""
    template = dice.choice((NESTED if depth else SIMPLE)[kind].split("|"))
    if not depth:
        return template
    return (
        re.sub(
            r"(\n *)?\{(\w)\}",
            lambda found: (
                (found[1] or "")
                + made(found[2], dice, dice.randrange(depth)).replace("\n", found[1] if found[1] else "\n")
            ),
            template.replace("{{", "\x01").replace("}}", "\x02"),
        )
        .replace("\x01", "{")
        .replace("\x02", "}")
    )


def program(seed: int) -> str:
    dice = random.Random(seed)  # noqa: S311 - the same program for the same seed
    lines = (made("s", dice, dice.randint(1, 4)) for _ in range(dice.randint(1, 4)))
    return START + "\n".join([*lines, "print(x, y)"])


@settings(max_examples=20_000 if LONG else 400, deadline=None)
@given(st.integers(0, 10**9))
def test_a_program_that_has_a_value_prints_what_python_prints(seed: int):
    code = program(seed)
    seen = ran(code)
    if seen is not None:
        assert seen.printed == python_prints(code), code


def test_most_programs_that_python_can_run_have_a_value():
    known = [program(seed) for seed in range(400) if len(program(seed)) <= MOST_CHARACTERS and ran(program(seed))]
    assert len(known) > 100


PIECES = [*KNOWN, "\n", "(", "x", " = ", "for x in ", "1", "2.", "0x", "if", "in", "or", "else", "'", "\\d", "j", " "]


@settings(max_examples=200, deadline=None)
@given(st.one_of(NASTY, st.lists(st.sampled_from(PIECES), max_size=8).map("".join)))
def test_no_text_makes_it_raise_or_warn(text: str):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ran(text)
    assert not told


LIMIT_MS = 2.5
"""Of the 5 that an answer may take to be judged."""
SLOW = [
    "while True:\n    pass",
    "a = 1\nfor i in range(600):\n    a = [a, a]\nprint(a)",
    "a = []\na.append(a)\nprint(a)",
    "def f(n):\n    return f(n - 1) + f(n - 2)\nprint(f(19))",
    "a = list(range(900))\nfor i in range(300):\n    a = sorted(a)",
    "a = 'ab' * 450\nfor i in range(600):\n    a = a.replace('ab', 'ba')",
    "a = [['x' * 900] * 900] * 900\nfor i in range(300):\n    print(a == a)",
    "a = 2 ** 600\nfor i in range(400):\n    a = a * 3 % 2 ** 690",
    "a = 2 ** 600\nprint([a * a for i in range(900)])",
    "print([[x for x in range(900)] for y in range(900)])",
    *(
        f"t = u = (1, 2)\nfor i in range(40):\n    t = (t, t)\n    u = (u, u)\n{end}"
        for end in (
            "print(len({t}))",
            "d = {}\nd[t] = 1",
            "d = {t: 1}",
            "d = {}\nprint(d[t])",
            "print(len({x for x in [t]}))",
            "print(len(set(x for x in [t])))",
            "print({x: 1 for x in [t]})",
            "print(max(x for x in [t, u]))",
            "print(sorted(x for x in [t, u]))",
            "print(t == u)",
            "print({1: t} == {1: u})",
            "print(t)",
        )
    ),
    "a = 'x' * 900\nprint('-'.join([a] * 900))",
    "x = [" + "1," * 140 + "]",
    "f(" * 19 + ")" * 19,
    "{" * 19 + ":" + "}" * 19,
    "f'{" * 19 + "}'" * 19,
    "lambda: " * 7 + "(" * 19,
    "a = " + "[{(" * 6 + "a, b: c for" + ")}]" * 6,
    "1" + "+1" * 140,
    "a" + ".a" * 145,
    "a" + "()" * 145,
    "if a:\n    b\n" * 29,
    "".join(f"{'  ' * depth}if 1:\n" for depth in range(20)) + "  " * 20 + "x = 1",
    "x" * MOST_CHARACTERS,
    "a = [0] * 1000\nfor i in range(300):\n    x = [*a]\nprint(1)",
    "a = [0] * 1000\nx = [" + "*a, " * 100 + "]\nprint(1)",
    "a = [0] * 1000\nfor i in range(300):\n    x = a[1:] + a[:1]\nprint(1)",
]


def test_copies_of_parts_are_weighed_by_their_length():
    for copy in ("[*a]", "a[:]", "a[::-1]"):
        assert ran(f"a = [0] * 900\nfor i in range(2):\n    x = {copy}\nprint(1)") is not None
        assert ran(f"a = [0] * 900\nfor i in range(9):\n    x = {copy}\nprint(1)") is None
    seen = ran("a = range(900)\nfor i in range(99):\n    a = a[:]\nprint(len(a))")
    assert seen is not None
    assert seen.printed == "900\n"


@pytest.mark.parametrize("code", SLOW)
def test_nothing_takes_longer_than_a_few_milliseconds(code: str):
    assert len(code) <= MOST_CHARACTERS
    assert takes_at_most(LIMIT_MS, lambda: ran(code))
