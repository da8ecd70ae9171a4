-- The book of money. Amounts are whole nano-dollars, times are microseconds since 1970 in UTC, days and months are in UTC.

-- What happened, in order. The deltas are the truth; `balance` and `reservation.state` only save summing them up.
CREATE TABLE entry (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    reservation    TEXT,  -- NULL for an answer from the cache
    state          TEXT NOT NULL
                   CHECK (state IN ('reserved', 'dispatched', 'settled', 'voided', 'forfeited', 'cached')),
    day            TEXT NOT NULL,
    month          TEXT NOT NULL,
    spent_delta    INTEGER NOT NULL CHECK (spent_delta >= 0),
    reserved_delta INTEGER NOT NULL,
    -- How it ended; NULL where it has not, or was never sent.
    request_id     TEXT,
    model          TEXT,
    source         TEXT CHECK (source IN ('local', 'cloud', 'cache')),
    outcome        TEXT,
    input_tokens   INTEGER,
    output_tokens  INTEGER,
    latency_ms     INTEGER,
    baseline       INTEGER CHECK (baseline >= 0),
    CHECK ((reservation IS NULL) = (state = 'cached')),
    CHECK (outcome IS NULL OR (model IS NOT NULL AND source IS NOT NULL))
) STRICT;

CREATE INDEX entry_ended ON entry (day) WHERE outcome IS NOT NULL;

-- A reservation ends once.
CREATE UNIQUE INDEX entry_end ON entry (reservation) WHERE state IN ('settled', 'voided', 'forfeited');

CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'an entry of the ledger is never changed');
END;

CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
BEGIN
    SELECT RAISE(ABORT, 'an entry of the ledger is never deleted');
END;

-- One row for each scope and its period. No cap stands here: a cost may be above it, and it may be lowered.
CREATE TABLE balance (
    scope    TEXT NOT NULL,
    period   TEXT NOT NULL,
    spent    INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    CHECK (spent + reserved <= 4611686018427387904),  -- money.MAX_NANOS
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation (
    id         TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    model      TEXT NOT NULL,
    source     TEXT NOT NULL CHECK (source IN ('local', 'cloud', 'cache')),
    day        TEXT NOT NULL,
    month      TEXT NOT NULL,
    bound      INTEGER NOT NULL CHECK (bound >= 0),
    state      TEXT NOT NULL DEFAULT 'reserved'
               CHECK (state IN ('reserved', 'dispatched', 'settled', 'voided', 'forfeited')),
    owner      TEXT NOT NULL,  -- the process that holds the lease
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_open ON reservation (expires_at) WHERE state IN ('reserved', 'dispatched');

CREATE TRIGGER reservation_keeps_its_terms
BEFORE UPDATE OF id, created_at, request_id, model, source, day, month, bound ON reservation
BEGIN
    SELECT RAISE(ABORT, 'the terms of a reservation are never changed');
END;

CREATE TRIGGER reservation_moves_forward BEFORE UPDATE OF state ON reservation
WHEN NOT (
    (OLD.state = 'reserved' AND NEW.state IN ('dispatched', 'voided'))
    OR (OLD.state = 'dispatched' AND NEW.state IN ('settled', 'forfeited'))
)
BEGIN
    SELECT RAISE(ABORT, 'a reservation only moves forward');
END;
