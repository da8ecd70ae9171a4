"""Logs on stderr, because stdout belongs to the protocol. No prompt, no answer, no key."""

from __future__ import annotations

import logging
import sys
from asyncio import CancelledError
from contextlib import AbstractContextManager

import structlog

from hybrid_mcp.domain.answer import Answer, Attempt


def configure_logging() -> None:
    """One plain line for each event: JSON where nobody is watching, words on a terminal."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def client_in_log(client: str) -> AbstractContextManager[None]:
    """Within it each line names the client whose request it is about."""
    return structlog.contextvars.bound_contextvars(client=client)


def take_other_logs() -> None:
    """What libraries have to say, from a warning on, comes out as our own lines do."""
    logging.basicConfig(handlers=[_Forwarding()], level=logging.WARNING, force=True)


class _Forwarding(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Of an exception its kind alone: its text may hold what a caller sent."""
        kind = record.exc_info[0] if record.exc_info else None
        if kind is CancelledError:  # the end of the server, which is no news
            return
        more = {} if kind is None else {"exception": kind.__name__}
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, **more)


class LogObserver:
    """Implements `Observer` with one log line for each attempt and each answer."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()

    def attempted(self, request_id: str, attempt: Attempt) -> None:
        self._log.info(
            "attempt", request_id=request_id, model=attempt.model, outcome=attempt.outcome, reason=attempt.reason,
            cost_usd=attempt.cost.dollars, latency_ms=attempt.latency_ms,
        )  # fmt: skip

    def answered(self, answer: Answer) -> None:
        self._log.info(
            "answer", request_id=answer.request_id, model=answer.model, score=answer.complexity.score,
            cached=answer.cached, escalated=answer.escalated, cost_usd=answer.cost.dollars,
            saved_usd=answer.saved.dollars, latency_ms=answer.latency_ms,
        )  # fmt: skip

    def alerted(self, alert: str) -> None:
        self._log.warning("alert", alert=alert)
