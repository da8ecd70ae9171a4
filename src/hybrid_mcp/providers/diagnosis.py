"""What is wrong with a provider, and what to do about it: from the answers to the questions of `probing`, purely.

Of a server's own text only codes and printable names of models are told.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import is_vendor
from hybrid_mcp.providers.discovery import is_name
from hybrid_mcp.providers.failures import NO_CREDIT_CODES, Refusal, causes, code_of, key_advice, told

OLDEST_OLLAMA = (0, 5, 0)
"""Since then an answer can be held to a JSON schema (ollama.com/blog/structured-outputs)."""
SHOWN_MODELS = 5
SHOWN_UNKNOWN = 3

State = Literal["ok", "note", "broken"]
Topic = Literal["version", "key", "models"]

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", re.ASCII)
_DEVELOPMENT = (0, 0, 0)
_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$", re.ASCII)
_MORE = ("has_more", "nextPageToken", "next_page_token", "next_page", "next")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer over HTTP. `body` is None where it is longer than any list."""

    status: int
    body: bytes | None
    latency_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """`broken`: a call would fail. `note`: worth knowing."""

    state: State
    detail: str


Seen = Reply | Diagnosis
"""What came of one question: an answer, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """`partial`: there are more. `any_name`: the server answers with its one model whatever name it is asked for."""

    names: tuple[str, ...]
    partial: bool
    any_name: bool


def diagnose(spec: ProviderSpec, seen: Mapping[Topic, Seen], *, has_key: bool, wanted: Sequence[str] = ()) -> Diagnosis:
    """How the provider does: its first trouble, else whether it has the `wanted` models, else what was seen."""
    for topic, one in seen.items():
        trouble = one if isinstance(one, Diagnosis) else _trouble(spec, topic, one, has_key=has_key)
        if trouble is not None:
            return trouble
    replies: dict[Topic, Reply] = {topic: one for topic, one in seen.items() if isinstance(one, Reply)}
    facts: list[str] = []
    for read in (_version, _key):
        found = read(spec, replies)
        if isinstance(found, Diagnosis):
            return found
        facts.extend(found)
    return _models(spec, replies["models"], facts, wanted)


def why_no_answer(spec: ProviderSpec, error: Exception) -> Diagnosis:
    """What a connection that failed says. A refusal of our own policy comes out as itself."""
    chain = causes(error)
    for cause in chain:
        match cause:
            case HybridError():
                return _broken(str(cause))
            case ssl.SSLCertVerificationError():
                why = cause.verify_message if cause.verify_message.isprintable() else "not trusted"
                return _broken(
                    f"{spec.host} shows a certificate that does not hold ({why[:200]}): check the clock, base_url, and "
                    "whether something in the network opens TLS connections"
                )
            case ssl.SSLError():
                return _broken(
                    f"no TLS connection to {spec.host} comes about ({cause.reason or 'broken off'}): does it speak "
                    "https, or plain http at this port?"
                )
            case socket.gaierror():
                return _broken(f"nobody knows the name {spec.host}: check base_url and the network")
            case _:
                pass
    if any(type(cause).__name__ in {"ConnectError", "ConnectTimeout"} for cause in chain):
        return _broken(_absent(spec))
    return _broken(f"what answers at {spec.base_url} broke off, or speaks no HTTP: check base_url")


def _absent(spec: ProviderSpec) -> str:
    if not spec.local:
        return f"nothing answers at {spec.base_url}: check the network, and base_url"
    remedy = "start Ollama (`ollama serve`)" if spec.kind == "ollama" else "start it, or check base_url"
    return f"no model server answers at {spec.base_url}: {remedy}"


def _trouble(spec: ProviderSpec, topic: Topic, reply: Reply, *, has_key: bool) -> Diagnosis | None:
    """What the status says, None where the answer is good, or where it is no trouble that there is none."""
    refusal = Refusal(status=reply.status, headers={}, body=_parsed(reply))
    status, text = reply.status, told(refusal)
    # Nothing else than the key can be wrong in such a question: Google and xAI refuse a wrong one with 400.
    if status in {401, 403} or (status == 400 and has_key):
        return _refused_key(spec, text, has_key=has_key)
    if status in {404, 405}:
        return _missing(spec, topic, reply, text)
    if status == 402 or code_of(refusal) in NO_CREDIT_CODES:
        return _broken(f"knows the key, but the account has no credit left ({text}): top it up at the provider")
    if status == 200:
        return _no_api(spec) if _is_page(reply) else None
    return _failed(status, text)


def _missing(spec: ProviderSpec, topic: Topic, reply: Reply, text: str) -> Diagnosis | None:
    """A server may have no model list, and a vendor may have moved the place that proves a key."""
    match topic:
        case "key":
            return None
        case "version":
            return _broken(f"has no /api/version ({text}), so it is no Ollama: check base_url and kind")
        case "models":
            return _no_api(spec) if _is_page(reply) or is_vendor(spec) else None


def _failed(status: int, text: str) -> Diagnosis:
    if status == 429:
        return Diagnosis(state="note", detail=f"answers, but was asked too often ({text}): try again later")
    if status >= 500:
        return _broken(f"answers, but fails ({text}): try again later, and look at what the server itself says")
    if 300 <= status < 400:
        return _broken(
            f"points to another address ({text}), and no redirect is followed: set base_url to the final address"
        )
    return _broken(f"refuses to tell its models ({text}): check base_url and kind")


def _refused_key(spec: ProviderSpec, text: str, *, has_key: bool) -> Diagnosis:
    if has_key:
        return _broken(f"refuses the key ({text}), which is wrong or may not do this: {key_advice(spec)}")
    return _broken(f"wants a key ({text}): {key_advice(spec)}")


def _no_api(spec: ProviderSpec) -> Diagnosis:
    return _broken(f"what answers at {spec.base_url} is no model API but a web page or the like: check base_url")


def _version(spec: ProviderSpec, replies: Mapping[Topic, Reply]) -> list[str] | Diagnosis:
    reply = replies.get("version")
    if reply is None:
        return []
    number = _object(_parsed(reply)).get("version")
    found = _VERSION.match(number) if isinstance(number, str) else None
    if found is None:
        return _broken(f"what answers at {spec.base_url} tells no version, so it is no Ollama: check base_url and kind")
    version = (int(found[1]), int(found[2]), int(found[3] or 0))
    plain, oldest = (".".join(map(str, numbers)) for numbers in (version, OLDEST_OLLAMA))
    if _DEVELOPMENT < version < OLDEST_OLLAMA:
        return _broken(f"Ollama {plain} is too old: install {oldest} or newer (https://ollama.com/download)")
    return [f"Ollama {plain}"]


def _key(spec: ProviderSpec, replies: Mapping[Topic, Reply]) -> list[str] | Diagnosis:
    """What the vendor says of the key itself: OpenRouter tells what is left of the limit that its owner set."""
    reply = replies.get("key")
    if reply is None or reply.status != 200:
        return []
    left = _object(_object(_parsed(reply)).get("data")).get("limit_remaining")
    if isinstance(left, bool) or not isinstance(left, (int, float)) or not math.isfinite(left):
        return ["takes the key"]
    if left <= 0:
        return _broken(f"takes the key, but nothing is left of the key's own limit: raise it at {spec.host}")
    return [f"takes the key, ${left:,.2f} left of its limit"]


def _models(spec: ProviderSpec, reply: Reply, facts: Sequence[str], wanted: Sequence[str]) -> Diagnosis:
    took = f"{reply.latency_ms:,} ms"
    if reply.status != 200:
        return Diagnosis(state="ok", detail=_row(spec, [*facts, f"answers in {took}; it has no model list"]))
    if reply.body is None:
        return Diagnosis(state="ok", detail=_row(spec, [*facts, f"answers in {took}; its model list is too long"]))
    listing = _listing(_parsed(reply))
    if listing is None:
        state: State = "broken" if is_vendor(spec) else "note"
        return Diagnosis(
            state=state, detail=f"answers at {spec.base_url}, but with no model list: check base_url and kind"
        )
    unknown = () if listing.partial or listing.any_name else _unknown(spec, wanted, listing)
    if unknown:
        return _broken("; ".join(_remedy(spec, name, listing) for name in unknown[:SHOWN_UNKNOWN]))
    if not listing.names:
        load = "`ollama pull` one" if spec.kind == "ollama" else "load one"
        return Diagnosis(state="note", detail=_row(spec, [*facts, f"answers in {took}, and has no model: {load}"]))
    count = f"{len(listing.names):,} model{'' if len(listing.names) == 1 else 's'} listed in {took}"
    shown = [", ".join(listing.names[:SHOWN_MODELS])] if spec.local else []
    return Diagnosis(state="ok", detail=_row(spec, [*facts, count, *shown]))


def _row(spec: ProviderSpec, facts: Iterable[str]) -> str:
    return f"{spec.base_url}: {'; '.join(facts)}"


def _remedy(spec: ProviderSpec, name: str, listing: _Listing) -> str:
    near = difflib.get_close_matches(_plain(name), listing.names, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}?" if near else "see the provider's own list"
    if spec.kind == "ollama":
        return f"has no model {name}: run `ollama pull {name}`" + (f", or {meant}" if near else "")
    return f"has no model {name}: {meant}"


def _unknown(spec: ProviderSpec, wanted: Sequence[str], listing: _Listing) -> tuple[str, ...]:
    known = {form for name in listing.names for form in _forms(name)}
    return tuple(name for name in wanted if known.isdisjoint({*_forms(name), *_without_variant(spec, name)}))


def _forms(name: str) -> tuple[str, ...]:
    """The names by which one may be asked for: without a date (vendors list `NAME-20260101` for `NAME`), and without
    Ollama's `:latest`."""
    plain = _plain(name)
    return plain, plain.removesuffix(":latest"), _DATE.sub("", plain)


def _without_variant(spec: ProviderSpec, name: str) -> tuple[str, ...]:
    """Routers in the cloud take `NAME:nitro`, `NAME:online` and the like, and list only NAME."""
    base, colon, _ = name.rpartition(":")
    return (base,) if colon and not spec.local else ()


def _plain(name: str) -> str:
    """Gemini lists `models/gemini-...` and answers to either."""
    return name.removeprefix("models/")


def _listing(document: object) -> _Listing | None:
    """What a model list holds in any of the dialects, None where it is none. Together sends the bare list."""
    table = _object(document)
    rows = cast("object", document) if isinstance(document, list) else table.get("data", table.get("models"))
    if not isinstance(rows, list):
        return None
    entries = [_object(row) for row in cast("list[object]", rows)]
    ids = [entry.get("id", entry.get("name")) for entry in entries]
    names = tuple(_plain(name) for name in ids if isinstance(name, str) and is_name(name))
    if entries and not names:
        return None
    return _Listing(
        names=names,
        partial=any(table.get(key) for key in _MORE),
        # llama.cpp's server with one model takes any name for it.
        any_name=len(entries) == 1 and entries[0].get("owned_by") == "llamacpp",
    )


def _parsed(reply: Reply) -> object:
    try:
        return json.loads(reply.body or b"")
    except (ValueError, RecursionError):
        return None


def _is_page(reply: Reply) -> bool:
    return (reply.body or b"").lstrip()[:1] == b"<"


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _broken(detail: str) -> Diagnosis:
    return Diagnosis(state="broken", detail=detail)
