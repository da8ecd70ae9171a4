"""Small Python programs, worked out without running them: what they print, within tight bounds.

A walk over the parsed program that knows a short list of forms. Whatever is not on the list, does not end soon, grows
large, or would raise, has no value.
"""

from __future__ import annotations

import ast
import itertools
import operator
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hybrid_mcp.domain.small_python_values import (
    FUNCTIONS,
    LIGHT_FUNCTIONS,
    MOST_ITEMS,
    READERS,
    NoValue,
    Work,
    called,
    combined,
    container,
    in_order,
    items,
    kind_of,
    sized,
)

MOST_CHARACTERS = 600
_MOST_TOKENS = 300
"""What Python's own parser reads in a millisecond or two, however dense."""
_MOST_DEPTH = 20
_TOKEN = re.compile(r"\w+|[^\w\s]|\n[ \t]*")
_BRACKETS = re.compile(r"[()\[\]{}]")
_LONG_CHAINS = re.compile(r"(?:(?:not|lambda|else|if|for)\b[ \t:]{0,4}){8}|[-+~ ]{12}[-+~]")
_ODD = re.compile(
    r"\\[^nt'\"\n]|\d\.?(?:and|else|for|if|in|is|or|not|[jJ])|\b0[xX]|[^\n -~\u00a1-\uffff]|\b(?:import|class)\b"
)
"""What the parser warns of, and what has no value anyway."""
_SPEC = re.compile(r"(?:[<>^]?\d{1,2})?,?(?:\.\d)?[df%]?")

_Flow = Literal["on", "break", "continue", "return"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """`printed`: all that it prints. `value`: what an interactive session would show of its last line, `None` included;
    absent where the last line is no expression."""

    printed: str
    value: str | None


@dataclass(frozen=True, slots=True)
class _Function:
    parameters: tuple[str, ...]
    defaults: tuple[Any, ...]
    body: list[ast.stmt]
    names: frozenset[str]


@dataclass(slots=True)
class _Frame:
    """`names`: with their values; of the module they are the globals. `own`: those that a function assigns."""

    work: Work
    module: dict[str, Any]
    names: dict[str, Any]
    own: frozenset[str] = frozenset()
    depth: int = 0
    returned: Any = field(default=None)


def ran(code: str) -> Ran | None:
    """What the program prints; None where that is not known. Never raises, and takes two milliseconds at the most."""
    if len(code) > MOST_CHARACTERS or not _is_harmless(code):
        return None
    try:
        return _ran(ast.parse(code).body)
    except (NoValue, SyntaxError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return None
    except (RuntimeError, MemoryError):  # also what nests too deep
        return None


def _is_harmless(code: str) -> bool:
    """Whether the parser will have read it soon, without a warning."""
    if len(list(itertools.islice(_TOKEN.finditer(code), _MOST_TOKENS + 1))) > _MOST_TOKENS:
        return False
    depth = deepest = 0
    for bracket in _BRACKETS.findall(code):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return deepest <= _MOST_DEPTH and not _LONG_CHAINS.search(code) and not _ODD.search(code.replace("\\\\", "__"))


def _ran(body: list[ast.stmt]) -> Ran:
    module: dict[str, Any] = {"__name__": "__main__"}
    at = _Frame(Work(), module, module)
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr):
        _must_go_on(_run(body, at))
        return Ran(printed=at.work.printed, value=None)
    _must_go_on(_run(body[:-1], at))
    value = _value(last.value, at)
    return Ran(printed=at.work.printed, value=at.work.text(value, repr))


def _must_go_on(flow: _Flow) -> None:
    if flow != "on":
        raise NoValue


def _run(body: list[ast.stmt], at: _Frame) -> _Flow:
    for statement in body:
        at.work.step()
        do = _STATEMENTS.get(type(statement))
        if do is None:
            raise NoValue
        flow = do(statement, at)
        if flow != "on":
            return flow
    return "on"


def _expression(node: ast.Expr, at: _Frame) -> _Flow:
    _value(node.value, at)
    return "on"


def _assign(node: ast.Assign, at: _Frame) -> _Flow:
    value = _value(node.value, at)
    for target in node.targets:
        _store(target, value, at)
    return "on"


def _annotated(node: ast.AnnAssign, at: _Frame) -> _Flow:
    _is_type(node.annotation)
    if node.value is None or not isinstance(node.target, ast.Name):
        raise NoValue
    _store(node.target, _value(node.value, at), at)
    return "on"


def _is_type(node: ast.expr | None) -> None:
    if node is not None and not (isinstance(node, ast.Name) and node.id in {"int", "str", "float", "bool", "list"}):
        raise NoValue


def _store(target: ast.expr, value: Any, at: _Frame) -> None:
    match target:
        case ast.Name(id=name):
            at.names[name] = value
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            values = items(value)
            if len(values) != len(parts):
                raise NoValue
            for part, one in zip(parts, values, strict=True):
                _store(part, one, at)
        case ast.Subscript(value=of, slice=place) if not isinstance(place, ast.Slice):
            _put(_value(of, at), _key(place, at), value)
        case _:
            raise NoValue


def _put(of: Any, place: Any, value: Any) -> None:
    if kind_of(of) not in {list, dict}:
        raise NoValue
    of[place] = value
    sized(of)


def _augmented(node: ast.AugAssign, at: _Frame) -> _Flow:
    match node.target:
        case ast.Name(id=name) as target:
            at.names[name] = _changed(node, _name(target, at), at)
        case ast.Subscript(value=of, slice=place) if not isinstance(place, ast.Slice):
            whole, key = _value(of, at), _key(place, at)
            _put(whole, key, _changed(node, _part(whole, key), at))
        case _:
            raise NoValue
    return "on"


def _changed(node: ast.AugAssign, old: Any, at: _Frame) -> Any:
    """A list is changed in its place, under all of its names."""
    value = _value(node.value, at)
    if kind_of(old) is not list:
        return combined(node.op, old, value)
    new = old + items(value) if isinstance(node.op, ast.Add) else combined(node.op, old, value)
    old[:] = sized(new)
    return old


def _if(node: ast.If, at: _Frame) -> _Flow:
    return _run(node.body if _value(node.test, at) else node.orelse, at)


def _while(node: ast.While, at: _Frame) -> _Flow:
    while _value(node.test, at):
        flow = _run(node.body, at)
        if flow == "return":
            return flow
        if flow == "break":
            return "on"
    return _run(node.orelse, at)


def _for(node: ast.For, at: _Frame) -> _Flow:
    for one in in_order(_value(node.iter, at)):
        _store(node.target, one, at)
        flow = _run(node.body, at)
        if flow == "return":
            return flow
        if flow == "break":
            return "on"
        at.work.step()
    return _run(node.orelse, at)


def _def(node: ast.FunctionDef, at: _Frame) -> _Flow:
    given = node.args
    if at.depth or node.decorator_list or given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs:
        raise NoValue
    for one in (*(one.annotation for one in given.args), node.returns):
        _is_type(one)
    parameters = tuple(one.arg for one in given.args)
    assigned = (one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    at.names[node.name] = _Function(
        parameters, tuple(_value(one, at) for one in given.defaults), node.body, frozenset((*parameters, *assigned))
    )
    return "on"


def _return(node: ast.Return, at: _Frame) -> _Flow:
    at.returned = None if node.value is None else _value(node.value, at)
    return "return"


_STATEMENTS: Mapping[type[ast.stmt], Callable[[Any, _Frame], _Flow]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.FunctionDef: _def,
    ast.Return: _return,
    ast.Pass: lambda _node, _at: "on",
    ast.Break: lambda _node, _at: "break",
    ast.Continue: lambda _node, _at: "continue",
}


def _value(node: ast.expr, at: _Frame) -> Any:
    at.work.step()
    evaluate = _EXPRESSIONS.get(type(node))
    if evaluate is None:
        raise NoValue
    return evaluate(node, at)


def _constant(node: ast.Constant, _at: _Frame) -> Any:
    return sized(node.value)


def _name(node: ast.Name, at: _Frame) -> Any:
    value = _found(node.id, at)
    if value is None or not isinstance(value, _Function):
        return value
    raise NoValue


def _found(name: str, at: _Frame) -> Any:
    if name in at.names:
        return at.names[name]
    if name in at.own or name not in at.module:
        raise NoValue
    return at.module[name]


def _all_of(nodes: list[ast.expr], at: _Frame) -> list[Any]:
    found: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found.extend(at.work.copied(items(_value(node.value, at))))
        else:
            found.append(_value(node, at))
    return sized(found)


def _dict(node: ast.Dict, at: _Frame) -> Any:
    if None in node.keys:
        raise NoValue
    return {_key(key, at): _value(one, at) for key, one in zip(node.keys, node.values, strict=True) if key}


def _key(node: ast.expr, at: _Frame) -> Any:
    """What is hashed: tuples within tuples, however often one stands in them, are gone through each time."""
    value = _value(node, at)
    at.work.weigh(value)
    return value


def _set(values: Iterable[Any], at: _Frame) -> Any:
    found = sized([*itertools.islice(values, MOST_ITEMS + 1)])
    at.work.weigh(found)
    return set(found)


def _unary(node: ast.UnaryOp, at: _Frame) -> Any:
    value = _value(node.operand, at)
    match node.op:
        case ast.Not():
            return not value
        case ast.USub() if isinstance(value, (int, float)):
            return -value
        case ast.UAdd() if isinstance(value, (int, float)):
            return +value
        case _:
            raise NoValue


def _binary(node: ast.BinOp, at: _Frame) -> Any:
    return combined(node.op, _value(node.left, at), _value(node.right, at))


def _and_or(node: ast.BoolOp, at: _Frame) -> Any:
    value, until = None, isinstance(node.op, ast.Or)
    for one in node.values:
        value = _value(one, at)
        if bool(value) is until:
            break
    return value


def _choice(node: ast.IfExp, at: _Frame) -> Any:
    return _value(node.body if _value(node.test, at) else node.orelse, at)


_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda one, many: one in container(many),
    ast.NotIn: lambda one, many: one not in container(many),
}  # fmt: skip


def _comparison(node: ast.Compare, at: _Frame) -> Any:
    left = _value(node.left, at)
    for sign, other in zip(node.ops, node.comparators, strict=True):
        right = _value(other, at)
        if not _holds(sign, left, right, at):
            return False
        left = right
    return True


def _holds(sign: ast.cmpop, left: Any, right: Any, at: _Frame) -> bool:
    if isinstance(sign, (ast.Is, ast.IsNot)):
        if left is not None and right is not None:
            raise NoValue
        return (left is right) is isinstance(sign, ast.Is)
    at.work.weigh(left, right)
    return _COMPARISONS[type(sign)](left, right)


def _subscript(node: ast.Subscript, at: _Frame) -> Any:
    whole = _value(node.value, at)
    if not isinstance(node.slice, ast.Slice):
        return _part(whole, _key(node.slice, at))
    ends = (node.slice.lower, node.slice.upper, node.slice.step)
    return at.work.copied(_part(whole, slice(*(None if end is None else _value(end, at) for end in ends))))


def _part(whole: Any, place: Any) -> Any:
    return container(whole)[place]


def _comprehended(node: ast.ListComp | ast.SetComp | ast.GeneratorExp, at: _Frame) -> Iterator[Any]:
    return (_value(node.elt, inner) for inner in _rounds(node.generators, at))


def _rounds(loops: list[ast.comprehension], at: _Frame) -> Iterator[_Frame]:
    if len(loops) != 1 or loops[0].is_async:
        raise NoValue
    source = in_order(_value(loops[0].iter, at))
    targets = (one.id for one in ast.walk(loops[0].target) if isinstance(one, ast.Name))
    inner = _Frame(at.work, at.module, {**at.names}, at.own | frozenset(targets), at.depth)
    for one in source:
        _store(loops[0].target, one, inner)
        if all(_value(test, inner) for test in loops[0].ifs):
            yield inner


def _dict_comprehended(node: ast.DictComp, at: _Frame) -> Any:
    return sized({_key(node.key, inner): _value(node.value, inner) for inner in _rounds(node.generators, at)})


def _formatted(node: ast.JoinedStr, at: _Frame) -> str:
    return sized("".join(_piece(one, at) for one in node.values))


def _piece(node: ast.expr, at: _Frame) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.FormattedValue(value=of, conversion=-1 | 115, format_spec=None):
            return at.work.text(_value(of, at))
        case ast.FormattedValue(value=of, conversion=114, format_spec=None):
            return at.work.text(_value(of, at), repr)
        case ast.FormattedValue(
            value=of, conversion=-1, format_spec=ast.JoinedStr(values=[ast.Constant(value=str() as spec)])
        ) if _SPEC.fullmatch(spec):
            return format(sized(_value(of, at)), spec)
        case _:
            raise NoValue


def _call(node: ast.Call, at: _Frame) -> Any:
    match node.func:
        case ast.Attribute(value=of, attr=name):
            receiver = _value(of, at)
            return called(at.work, receiver, name, *_arguments(node, at, reads=name == "join"))
        case ast.Name(id=name) if name in at.own or name in at.names or name in at.module:
            function = _found(name, at)
            return _call_of(function, *_arguments(node, at, reads=False), at)
        case ast.Name(id=name):
            return _built_in(name, *_arguments(node, at, reads=name in READERS), at)
        case _:
            raise NoValue


def _arguments(node: ast.Call, at: _Frame, *, reads: bool) -> tuple[list[Any], dict[str, Any]]:
    first = node.args[0] if reads and len(node.args) == 1 else None
    given = [_comprehended(first, at)] if isinstance(first, ast.GeneratorExp) else _all_of(node.args, at)
    keywords = {one.arg: _value(one.value, at) for one in node.keywords if one.arg}
    if len(keywords) != len(node.keywords):
        raise NoValue
    return given, keywords


def _call_of(function: Any, given: list[Any], keywords: dict[str, Any], at: _Frame) -> Any:
    if not isinstance(function, _Function) or at.depth >= _MOST_DEPTH or len(given) > len(function.parameters):
        raise NoValue
    names = dict(zip(function.parameters[::-1], function.defaults[::-1], strict=False))
    positional = dict(zip(function.parameters, given, strict=False))
    names |= positional | keywords
    if names.keys() != set(function.parameters) or positional.keys() & keywords.keys():
        raise NoValue
    inner = _Frame(at.work, at.module, names, function.names, at.depth + 1)
    flow = _run(function.body, inner)
    if flow not in {"on", "return"}:
        raise NoValue
    return inner.returned


def _built_in(name: str, given: list[Any], keywords: dict[str, Any], at: _Frame) -> Any:
    if name == "print":
        return _print(given, at, **keywords)
    if name == "str" and len(given) <= 1 and not keywords:
        return at.work.text(given[0]) if given else ""
    if name not in FUNCTIONS or not keywords.keys() <= {"reverse"}:
        raise NoValue
    if name in READERS - LIGHT_FUNCTIONS:
        # What a generator gives is weighed too, before it is compared or hashed.
        given = [items(one) if kind_of(one) is types.GeneratorType else one for one in given]
    if name not in LIGHT_FUNCTIONS:
        at.work.weigh(*given)
    return sized(FUNCTIONS[name](*given, **keywords))


def _print(given: list[Any], at: _Frame, sep: Any = " ", end: Any = "\n") -> None:
    parts = [at.work.text(one) for one in given]
    at.work.write((" " if sep is None else sep).join(parts) + ("\n" if end is None else end))


_EXPRESSIONS: Mapping[type[ast.expr], Callable[[Any, _Frame], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: lambda node, at: _all_of(node.elts, at),
    ast.Tuple: lambda node, at: tuple(_all_of(node.elts, at)),
    ast.Set: lambda node, at: _set(_all_of(node.elts, at), at),
    ast.Dict: _dict,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _and_or,
    ast.IfExp: _choice,
    ast.Compare: _comparison,
    ast.Subscript: _subscript,
    ast.ListComp: lambda node, at: sized(list(_comprehended(node, at))),
    ast.SetComp: lambda node, at: _set(_comprehended(node, at), at),
    ast.DictComp: _dict_comprehended,
    ast.JoinedStr: _formatted,
    ast.Call: _call,
}
