"""Calls that were charged more than was set aside for them: what they block, and how the owner corrects them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from hybrid_mcp.domain.budget import Keys, Overbilled
from hybrid_mcp.domain.corrections import Correction, by_model, corrections, together
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import CORRECTED
from hybrid_mcp.storage.sqlite_entries import micros, time_of, write_entry
from hybrid_mcp.storage.sqlite_tally import correct_tally

_OVERBILLED = "SELECT model, bound, cost, at FROM overbilled WHERE lifted = 0 ORDER BY model, rowid"
_OF_MODEL = """
    SELECT reservation, model, bound, cost, at FROM overbilled
    WHERE model = :model AND lifted = (SELECT min(lifted) FROM overbilled WHERE model = :model) ORDER BY rowid
"""
_CHARGED = """
    SELECT request_id, model, day, month, client, project,
           (SELECT sum(billed) FROM entry WHERE reservation = :name),
           (SELECT sum(booked) FROM entry WHERE reservation = :name)
    FROM reservation WHERE id = :name
"""


class _Charged(NamedTuple):
    """A reservation; `billed`, `booked`: what the provider said of the call, and what the price book made of it."""

    request_id: str
    model: str
    day: str
    month: str
    client: str
    project: str
    billed: int | None
    booked: int | None

    @property
    def keys(self) -> Keys:
        return Keys(day=self.day, month=self.month, client=self.client, project=self.project)


def note_overbilled(connection: sqlite3.Connection, reservation: str, found: Overbilled) -> None:
    """From now on its model is blocked."""
    connection.execute(
        "INSERT INTO overbilled (reservation, model, bound, cost, at) VALUES (?, ?, ?, ?, ?)",
        (reservation, found.model, found.bound.nanos, found.cost.nanos, micros(found.at)),
    )


def blocked_models(connection: sqlite3.Connection) -> Mapping[str, Overbilled]:
    return by_model(_overbilled(*row) for row in connection.execute(_OVERBILLED))


def unblock(connection: sqlite3.Connection, now: datetime, *, model: str, billed: Usd | None) -> Overbilled | None:
    """See ports.Ledger. What was unblocked without a correction can be corrected until the model is blocked again."""
    calls = {name: _overbilled(*row) for name, *row in connection.execute(_OF_MODEL, {"model": model})}
    if not calls or (billed is None and model not in blocked_models(connection)):
        return None
    if billed is not None:
        for name, correction in zip(calls, corrections(list(calls.values()), billed), strict=True):
            _correct(connection, now, name, correction)
        connection.execute("DELETE FROM overbilled WHERE model = ?", (model,))
    else:
        connection.execute("DELETE FROM overbilled WHERE model = ? AND lifted = 1", (model,))
        connection.execute("UPDATE overbilled SET lifted = 1 WHERE model = ?", (model,))
    return together(list(calls.values()))


def _correct(connection: sqlite3.Connection, now: datetime, name: str, correction: Correction) -> None:
    """One more entry, which takes back what was charged too much in each scope that it counted in."""
    charged = _Charged(*connection.execute(_CHARGED, {"name": name}).fetchone())
    said = correction.said(charged.billed, charged.booked)
    ending = {
        "request_id": charged.request_id, "model": charged.model, "source": "cloud", "outcome": CORRECTED,
        "input_tokens": 0, "output_tokens": 0, "billed": said.billed, "booked": said.booked,
    }  # fmt: skip
    connection.execute("UPDATE reservation SET state = ? WHERE id = ?", (CORRECTED, name))
    write_entry(
        connection, now, charged.keys, state=CORRECTED, reservation=name, spent=correction.spent_delta, ending=ending
    )
    correct_tally(connection, charged.day, charged.model, correction, said)


def _overbilled(model: str, bound: int, cost: int, at: int) -> Overbilled:
    return Overbilled(model=model, bound=Usd(bound), cost=Usd(cost), at=time_of(at))
