"""Takes what was found out of a request, and puts it back into the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import cast

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.privacy import Finding
from hybrid_mcp.domain.ways_out import has_way_out

MAX_VALUES = 100
"""Different secrets in one request. A text with more is a list of secrets, and no model needs to see one."""

PLACEHOLDERS_STAY = (
    "placeholders stay in the answer, because it holds web addresses or markup that could carry them away"
)

_TEXTS = frozenset({"prompt", "context", "system_prompt"})
"""What may hold placeholders. A schema or a stop sequence with one would ask for another answer."""

_PLACEHOLDER = re.compile(r"<REDACTED_\d+>")
_AFTER_A_VALUE = re.compile(r"\Z|\s|[\"'`]+(?=[\s,;:)\]}>.]|\Z)|[,;)\]}]+(?=\s|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """An answer for the caller. `note`: why its placeholders are still in it."""

    text: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The request as models elsewhere see it, and what its placeholders stand for."""

    request: Request
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    note: str | None = None

    def restored(self, answer: str, *, as_json: bool = False) -> Restored:
        """The whole answer with the values put back, or as it is where something in it could send them somewhere.

        A prompt may have made the model write it so that a secret goes to a host when it is shown or followed.
        `as_json`: it is a JSON text, and stays one whatever characters the values have.
        """
        used = [name for name in self.values if name in answer]
        if not used:
            return Restored(text=answer)
        places = re.compile("|".join(map(re.escape, used)))

        def put_back(text: str) -> str:
            return places.sub(lambda found: self.values[found[0]], text)

        text = _in_strings(answer, put_back) if as_json else put_back(answer)
        # Alone a value may hold a dot or a slash. Among others it may be half of an address that somebody has planted.
        looked_at = text if len(used) > 1 else places.sub("x", answer)
        return Restored(text=answer, note=PLACEHOLDERS_STAY) if has_way_out(looked_at) else Restored(text=text)


def _in_strings(answer: str, change: Callable[[str], str]) -> str:
    """The JSON text with all of its strings and names changed."""

    def changed(node: object) -> object:
        match node:
            case str():
                return change(node)
            case dict():
                return {change(key): changed(value) for key, value in cast("dict[str, object]", node).items()}
            case list():
                return [changed(one) for one in cast("list[object]", node)]
            case _:
                return node

    return json.dumps(changed(json.loads(answer)), ensure_ascii=False)


def redact(
    request: Request, findings: Sequence[Finding], scan: Callable[[Request], Sequence[Finding]]
) -> Outgoing | None:
    """The request with placeholders, and what puts the values back; None where it must stay as it is.

    None: the request is confidential, something cannot be cut out exactly, too much was found, a value also stands
    where it was not found (a list of guesses would come out with a gap at the right one), or `scan` still finds
    something in what would go out. The same value has the same placeholder wherever it was found. A placeholder is a
    text that stands nowhere in the request.
    """
    texts = dict(request.texts())
    if request.confidential or not all(_is_redactable(finding, texts) for finding in findings):
        return None
    names = _Names(texts.values())
    clean = {where: _cut(text, _merged(findings, where), names) for where, text in texts.items()}
    values = {name: value for value, name in names.by_value.items()}
    if len(values) > MAX_VALUES or any(value in text for text in clean.values() for value in values.values()):
        return None
    if not values:
        return Outgoing(request=request)
    changed = {where: text for where, text in clean.items() if text != texts[where]}
    try:
        outgoing = replace(request, **changed)
    except InvalidRequest:
        return None
    return None if scan(outgoing) else Outgoing(request=outgoing, values=values)


def _is_redactable(finding: Finding, texts: Mapping[str, str]) -> bool:
    if finding.where not in _TEXTS:
        return False
    if finding.category == "personal":
        return bool(finding.spans)
    text = texts.get(finding.where, "")
    return finding.category == "secret" and bool(finding.spans) and all(_is_whole(text, *one) for one in finding.spans)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether nothing beside the span can be a part of the value."""
    return _AFTER_A_VALUE.match(text, end) is not None and not text[max(0, start - 1) : start].isalnum()


def _merged(findings: Iterable[Finding], where: str) -> list[tuple[int, int]]:
    """The spans in order; where two overlap, they are one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for finding in findings if finding.where == where for span in finding.spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class _Names:
    """A placeholder for each value, numbered in the order in which the values stand.

    It does not say what it stands for: a word such as `password` would make what follows it look like one.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        taken = {name for text in texts for name in _PLACEHOLDER.findall(text)}
        self._fresh = (name for number in count(1) if (name := f"<REDACTED_{number}>") not in taken)
        self.by_value: dict[str, str] = {}

    def of(self, value: str) -> str:
        if value not in self.by_value:
            self.by_value[value] = next(self._fresh)
        return self.by_value[value]


def _cut(text: str, spans: Iterable[tuple[int, int]], names: _Names) -> str:
    """The text with a placeholder for each span."""
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += (text[done:start], names.of(text[start:end]))
        done = end
    return "".join((*parts, text[done:]))
