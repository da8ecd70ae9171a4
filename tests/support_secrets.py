"""What is planted and what is clean. Planted values stand in parts: no scanner of a repository takes them for real."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_DATA = Path(__file__).parent / "data"
_SOURCE = Path(__file__).parent.parent / "src"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """`form`: plain, or how it is disguised. `text`: the value with what stands around it."""

    kind: str
    form: str
    value: str
    text: str


def planted() -> tuple[Planted, ...]:
    rows = map(json.loads, (_DATA / "planted.jsonl").read_text(encoding="utf-8").splitlines())
    return tuple(_planted(row["kind"], row["form"], row["around"], "".join(row["parts"])) for row in rows)


def clean_prompts() -> tuple[str, ...]:
    lines = (_DATA / "clean_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line)["prompt"] for line in lines)


def hostile_texts(characters: int) -> dict[str, str]:
    """Texts that are made to keep a scanner busy, each of this length, by what they repeat."""
    parts = {part[:24]: part for part in _HOSTILE} | {"source code": source_code()}
    return {name: (part * (characters // len(part) + 1))[:characters] for name, part in parts.items()}


def source_code() -> str:
    """This project's own, as ordinary text that is full of what the rules begin with."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(_SOURCE.rglob("*.py")))


def _planted(kind: str, form: str, around: str, value: str) -> Planted:
    return Planted(kind=kind, form=form, value=value, text=f"please look:\n{around.format(value)}\n")


_HOSTILE = (
    "-----BEGIN ", "-----BEGIN RSA PRIVATE KEY-----\n", "eyJ", "-eyJhbGciOiJI", "eyJhbGciOiJI.eyJhbGciOiJI.",
    " eyJ" + "a" * 90, "password=", "password=hunter2x ", "password" + " " * 24, "api_key = " + "a1" * 15, "A", "a",
    "1", "=", "%", "%41", "%41\n", "\\u0041", "_", "-", ".", "@", "://", "://a:", "://" + "a" * 64 + ":" + "b" * 128,
    "a@b.cc ",
    "4111111111111112 ", "4111 1111 1111 1112 ", "1 ", "DE89 3704 0044 0532 0130 01 ", " DE89", "ghp_" + "a1" * 18,
    "_" + "a" * 16, "sk-", "xoxb-", "bearer ", ".aaaaaa." + "a" * 27, "a@b.cc (0123 ", "\u200b", "\uff41",
    "a\U0001d400",
    "QUtJQUlPU0ZPRE5ON0VYQU1QTEU ", "a-b_c.d", "123e4567-e89b-12d3-a456-426614174000\n", "\n", " ", '"d"', "SK",
    "\u200d\U0001d400\u00e9", "\U000e0041", "0" * 32 + "-us1 ", "identified by 'ab", "a@b.c +1 2 3 4 5 6 7 8 9 0 ",
    "x@y.zz (000) 000", "QUFB" * 16 + "\r\n", "QUFB" * 16 + "\\n", "dp.pt." + "a" * 16, "e\u0301", "\u00e9 ", "\u4e2d",
    "://u:" + "p/" * 60 + "@h ", "://" + "u" * 60 + ":" + "p" * 120 + "@ ", "eyJ" * 300 + ".eyJ" + "a" * 8000 + " ",
    "PASSWORD=x(y" + "a.b(c)" * 300 + "\n", "password=" + "a1(b." * 400 + " ", "password='" + 'a"b' * 60 + "\n",
    "&#65;", "\\u{41}", "\\101", "'a'+'b'", '"abcdefgh" + ',
    b"plain words of text here".hex() + "\n", "AC", "AKIA1A2B3C\nABCD\n",
    "cookie: " + "a" * 390 + "\n", "mysql " + "a" * 110 + " ", 'password" {' + " " * 150, "password is\n",
)  # fmt: skip
