"""Takes what was found out of a request, and puts it back into the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.privacy import Finding

MAX_VALUES = 100
"""Different secrets in one request. A text with more is a list of secrets, and no model needs to see one."""

_LABEL = re.compile(r"[^A-Z0-9]+")
_ARTICLE = re.compile(r"^(?:AN?|WHAT)\b")
_ADDRESS = re.compile(r"[/\\:][/\\]|www\.")
"""Of a web address, also as browsers mend it: `https:/host`, `\\\\host`."""
_LAST_GAP = re.compile(r"\s(?=\S*\Z)")


@dataclass(slots=True)
class Restorer:
    """Puts values back in place of placeholders, in a whole text or in a stream of pieces.

    A placeholder in a web address stays: an answer that a prompt made the model write must not carry a secret to a
    host when it is shown or followed.
    """

    values: Mapping[str, str] = field(repr=False)
    _held: str = ""
    _word: str = ""

    def restore(self, text: str) -> str:
        """The whole text with the values put back."""
        fresh = Restorer(self.values)
        return fresh.feed(text) + fresh.close()

    def feed(self, piece: str) -> str:
        """What can be shown now: all but an end that may be the beginning of a placeholder."""
        text = self._held + piece
        keep = self._beginning_of_a_placeholder(text)
        self._held = text[keep:]
        return "".join(self._restored(text[:keep]))

    def close(self) -> str:
        """What was held back: the stream has ended."""
        rest, self._held = self._held, ""
        return "".join(self._restored(rest))

    def _beginning_of_a_placeholder(self, text: str) -> int:
        """The index from which the text may go on to be a placeholder; its length where it may not."""
        start = text.rfind("<")
        whole = start < 0 or not any(name.startswith(text[start:]) and name != text[start:] for name in self.values)
        return len(text) if whole else start

    def _restored(self, text: str) -> Iterator[str]:
        if not self.values:
            yield text
            return
        for part in re.split(f"({'|'.join(map(re.escape, self.values))})", text):
            shown = self.values[part] if part in self.values and not _ADDRESS.search(self._word) else part
            gap = _LAST_GAP.search(part)
            self._word = _as_far_as_it_matters(part[gap.end() :] if gap else self._word + part)
            yield shown


def _as_far_as_it_matters(word: str) -> str:
    """As much of a word without spaces as tells whether it is an address."""
    address = _ADDRESS.search(word)
    return address[0] if address else word[-3:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The request as models elsewhere see it, and what its placeholders stand for."""

    request: Request
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    note: str | None = None

    def restorer(self) -> Restorer:
        """For one answer."""
        return Restorer(self.values)


def redact(
    request: Request, findings: Sequence[Finding], scan: Callable[[Request], Sequence[Finding]]
) -> tuple[Request, Restorer] | None:
    """The request with placeholders, and what puts the values back; None where it must stay as it is.

    None: the request is confidential, something cannot be cut out exactly, too much was found, or `scan` still finds
    something in what would go out. The same value has the same placeholder wherever it stands in the request, also
    where it was not found. A placeholder is a text that stands nowhere in the request.
    """
    if request.confidential or not all(map(_is_redactable, findings)):
        return None
    texts = dict(request.texts())
    names = _names(texts, findings)
    if len(names) > MAX_VALUES:
        return None
    if not names:
        return request, Restorer({})
    longest_first = sorted(names, key=len, reverse=True)
    values = re.compile("|".join(map(re.escape, longest_first)))
    try:
        clean = replace(
            request, **{where: values.sub(lambda found: names[found[0]], text) for where, text in texts.items()}
        )
    except InvalidRequest:
        return None
    if scan(clean):
        return None
    return clean, Restorer({name: value for value, name in names.items()})


def _is_redactable(finding: Finding) -> bool:
    return finding.category in {"secret", "personal"} and bool(finding.spans)


def _names(texts: Mapping[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    """A placeholder for each value, numbered by its label in the order in which the values stand."""
    names: dict[str, str] = {}
    last: dict[str, int] = {}
    everything = "\n".join(texts.values())
    for where, text in texts.items():
        for start, end, label in _merged(finding for finding in findings if finding.where == where):
            value = text[start:end]
            if value in names:
                continue
            number = last.get(label, 0) + 1
            while f"<{label}_{number}>" in everything:
                number += 1
            last[label] = number
            names[value] = f"<{label}_{number}>"
    return names


def _merged(findings: Iterable[Finding]) -> list[tuple[int, int, str]]:
    """The spans in order; where two overlap, they are one."""
    merged: list[tuple[int, int, str]] = []
    for start, end, label in sorted((*span, _label(finding.kind)) for finding in findings for span in finding.spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, label))
    return merged


def _label(kind: str) -> str:
    """`an AWS access key` is AWS_ACCESS_KEY."""
    return _LABEL.sub("_", _ARTICLE.sub("", kind.upper())).strip("_")
