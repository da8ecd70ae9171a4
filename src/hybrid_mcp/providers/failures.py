"""What went wrong at a provider, as one of our errors. Of the server's own text only codes and numbers are told."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

import httpx
import httpx2

from hybrid_mcp.domain.breaker import MAX_WAIT_S
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    EgressDenied,
    HybridError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import is_vendor

_CODE = re.compile(r"[A-Za-z][A-Za-z_]{1,47}")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?![\w-])|(?<![\w.,-])\d{3,8}(?![\w-])")
_OVERFLOW_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "request_too_large"})
_OVERFLOW_TEXT = re.compile(
    r"context (?:length|window|size)|prompt is too long|input token count|input length exceeds|input is too long"
    r"|maximum prompt length|too many (?:input )?tokens",
    re.IGNORECASE,
)
NO_CREDIT_CODES = frozenset({"insufficient_quota", "insufficient_balance", "billing_error"})
_BEFORE_ANY_WORK = frozenset({401, 402, 403, 404, 405, 413, 429})
"""Statuses that a server gives before a model sees the request: about the key, the account, the address, the size of
the body and the number of requests. Of others, such as 400 and 422, only vendors that are known refuse for nothing."""
_NEVER_SENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout,
    httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout,
)  # fmt: skip
_TIMED_OUT = (TimeoutError, httpx.TimeoutException, httpx2.TimeoutException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is no completion: its HTTP status, headers (lower case) and parsed body.

    `inside`: it came inside an answer that had begun with 200, and states that status itself.
    """

    status: int
    headers: Mapping[str, str]
    body: object
    inside: bool = False


def failure_of_refusal(spec: ProviderSpec, model: str, refusal: Refusal) -> HybridError:
    """The error for an HTTP status, the same for every dialect."""
    name, status, billed = f"{spec.name}:{model}", refusal.status, _may_be_billed(spec, refusal)
    if _is_overflow(refusal):
        return _too_long(name, refusal, billed=billed)
    if status == 429 and code_of(refusal) not in NO_CREDIT_CODES:
        return _rate_limited(name, refusal, billed=billed)
    if status == 408:
        return ProviderTimeout(f"{name} gave up waiting ({told(refusal)}): try again, or another model")
    if status >= 500:
        return ProviderUnavailable(f"{name} failed ({told(refusal)}): try again later, or another model", billed=True)
    return ProviderRejected(f"{name} refused the request ({told(refusal)}): {_advice(spec, status)}", billed=billed)


def failure_of_connection(spec: ProviderSpec, model: str, error: BaseException) -> HybridError:
    """The error for a connection that failed; a refusal of our own policy anywhere in the chain comes out as itself."""
    name, chain = f"{spec.name}:{model}", causes(error)
    denied = next((cause for cause in chain if isinstance(cause, EgressDenied)), None)
    if denied is not None:
        return denied
    if any(isinstance(cause, _NEVER_SENT) for cause in chain):
        return ProviderUnavailable(
            f"{name} could not be reached at {spec.base_url}: is it running? `hybrid-mcp doctor` looks", billed=False
        )
    if any(isinstance(cause, _TIMED_OUT) for cause in chain):
        return ProviderTimeout(f"{name} sent nothing in time: try again, or another model")
    return broke_off(spec, model)


def broke_off(spec: ProviderSpec, model: str) -> ProviderUnavailable:
    """The error for an answer that ended before its end."""
    return ProviderUnavailable(
        f"{spec.name}:{model} broke off in the middle of its answer: try again, or another model", billed=True
    )


def malformed(spec: ProviderSpec, model: str) -> ProviderUnavailable:
    """The error for a server that does not speak the dialect."""
    return ProviderUnavailable(
        f"{spec.name}:{model} answered with something that is no chat answer: check base_url and kind", billed=True
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the server asks (RFC 9110: a number or a date), at most `MAX_WAIT_S`; None where it does not
    say.

    A date is read against the answer's own Date header, so that a wrong clock does no harm.
    """
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        return _until_date(asked, headers.get("date"))
    return min(max(0.0, seconds), MAX_WAIT_S) if math.isfinite(seconds) else None


def _until_date(asked: str, now: str | None) -> float | None:
    if now is None:
        return None
    try:
        wait_s = (parsedate_to_datetime(asked) - parsedate_to_datetime(now)).total_seconds()
        return min(max(0.0, wait_s), MAX_WAIT_S)
    except (ValueError, TypeError):
        return None


def _may_be_billed(spec: ProviderSpec, refusal: Refusal) -> bool:
    """Whether a refusal below 500 may cost something. A redirect tells of no work."""
    if spec.local:
        return False
    before_work = refusal.status in _BEFORE_ANY_WORK or refusal.status < 400 or is_vendor(spec)
    return refusal.inside or not before_work


def _rate_limited(name: str, refusal: Refusal, *, billed: bool) -> ProviderRateLimited:
    wait = retry_after_s(refusal.headers)
    advice = "try again later" if wait is None else f"try again in {math.ceil(wait):,} s"
    return ProviderRateLimited(
        f"{name} is rate limited ({told(refusal)}): {advice}, or another model", retry_after_s=wait, billed=billed
    )


def _advice(spec: ProviderSpec, status: int) -> str:
    match status:
        case 401 | 403:
            return f"the key is missing, wrong, or not allowed to do this; {key_advice(spec)}"
        case 402 | 429:
            return "the account has no credit left; top it up at the provider"
        case 404:
            return "the model or the address is not known there; see `hybrid-mcp models`, and check base_url"
        case _ if 300 <= status < 400:
            return "it points to another address, and no redirect is followed; set base_url to the final address"
        case _:
            return "another try would fail in the same way; use another model"


def key_advice(spec: ProviderSpec) -> str:
    """Where the owner sets the key of this provider."""
    if spec.api_key_env:
        return f"check {' or '.join(spec.api_key_env)}"
    return "declare the variable that holds its key (`api_key_env` of the provider in the profile)"


def causes(error: BaseException) -> list[BaseException]:
    """The error and all that led to it, the latest first."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _part(refusal: Refusal) -> Mapping[str, object]:
    """The error object: the OpenAI and Anthropic dialects nest it, Google puts that in a list, Ollama gives a text."""
    bodies = cast("list[object]", refusal.body) if isinstance(refusal.body, list) else [refusal.body]
    body = bodies[0] if bodies else None
    inner: object = _object(body).get("error", body)
    return {"message": inner} if isinstance(inner, str) else _object(inner)


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def code_of(refusal: Refusal) -> str | None:
    """The error's short code; None where it gives none that is surely not text of the server's."""
    part = _part(refusal)
    codes = (part.get(key) for key in ("code", "type", "status"))
    return next((code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)), None)


def told(refusal: Refusal) -> str:
    """What may be told of it: the status, and the code where there is one."""
    code = code_of(refusal)
    return f"HTTP {refusal.status}, {code}" if code else f"HTTP {refusal.status}"


def _is_overflow(refusal: Refusal) -> bool:
    if refusal.status == 413 or code_of(refusal) in _OVERFLOW_CODES:
        return True
    return refusal.status in {400, 422} and bool(_OVERFLOW_TEXT.search(str(_part(refusal).get("message", ""))))


def _too_long(name: str, refusal: Refusal, *, billed: bool) -> ContextTooLong:
    sizes = sorted(_sizes(_part(refusal)))
    numbers = f": {sizes[1]:,} tokens, and its context window holds {sizes[0]:,}" if len(sizes) == 2 else ""
    return ContextTooLong(
        f"the request is too long for {name} ({told(refusal)}){numbers}; send less context, or use a model with a "
        "larger window",
        billed=billed,
    )


def _sizes(part: Mapping[str, object]) -> list[int]:
    """The size of the request and the limit, in either order, from the fields or the wording of the error."""
    stated = [size for size in (part.get("n_prompt_tokens"), part.get("n_ctx")) if isinstance(size, int)]
    worded = [int(found.replace(",", "")) for found in _NUMBER.findall(str(part.get("message", "")))]
    return stated or worded[:2]
