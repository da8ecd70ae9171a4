-- The book of money. Amounts are whole nano-dollars, times are microseconds since 1970 in UTC and never go back, days and
-- months are in UTC.

CREATE TABLE book (
    name          TEXT NOT NULL,    -- random; a copy keeps it
    proven_entry  INTEGER NOT NULL  -- up to here `proven` holds the sums of the entries
) STRICT;

-- What happened, in order. The deltas are the truth; `balance`, `tally` and `reservation.state` only save summing them up.
CREATE TABLE entry (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    reservation    TEXT,  -- NULL where nothing was set aside
    state          TEXT NOT NULL
                   CHECK (state IN ('reserved', 'dispatched', 'settled', 'voided', 'forfeited', 'corrected', 'free',
                                    'restored')),
    day            TEXT NOT NULL,
    month          TEXT NOT NULL,
    client         TEXT NOT NULL,
    project        TEXT NOT NULL,  -- its month, a blank, its name
    spent_delta    INTEGER NOT NULL CHECK (spent_delta >= 0 OR state IN ('settled', 'corrected')),
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
    -- As the provider says, and what the price book makes of it; a correction takes back what was said wrong.
    billed         INTEGER CHECK (billed >= 0 OR state = 'corrected'),
    booked         INTEGER CHECK (booked >= 0 OR state = 'corrected'),
    CHECK ((reservation IS NULL) = (state IN ('free', 'restored'))),
    CHECK (outcome IS NULL OR (model IS NOT NULL AND source IS NOT NULL))
) STRICT;

CREATE INDEX entry_of_request ON entry (request_id) WHERE outcome IS NOT NULL;
CREATE INDEX entry_restored ON entry (month) WHERE state = 'restored';

-- A reservation comes to each state once.
CREATE UNIQUE INDEX entry_of_reservation ON entry (reservation, state) WHERE reservation IS NOT NULL;

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
    scope    TEXT NOT NULL CHECK (scope IN ('day', 'month', 'client', 'project')),
    period   TEXT NOT NULL,
    spent    INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    CHECK (spent + reserved <= 4611686018427387904),  -- money.MAX_NANOS
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

-- The balances as they were when they were last compared with the entries. Those that stand in `touched` have changed since.
CREATE TABLE proven (
    scope    TEXT NOT NULL,
    period   TEXT NOT NULL,
    spent    INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE touched (
    scope  TEXT NOT NULL,
    period TEXT NOT NULL,
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER balance_is_new AFTER INSERT ON balance
BEGIN
    INSERT OR IGNORE INTO touched VALUES (NEW.scope, NEW.period);
END;

CREATE TRIGGER balance_is_changed AFTER UPDATE ON balance
BEGIN
    INSERT OR IGNORE INTO touched VALUES (OLD.scope, OLD.period), (NEW.scope, NEW.period);
END;

CREATE TRIGGER balance_is_gone AFTER DELETE ON balance
BEGIN
    INSERT OR IGNORE INTO touched VALUES (OLD.scope, OLD.period);
END;

CREATE TABLE reservation (
    id         TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    model      TEXT NOT NULL,
    day        TEXT NOT NULL,
    month      TEXT NOT NULL,
    client     TEXT NOT NULL,
    project    TEXT NOT NULL,
    bound      INTEGER NOT NULL CHECK (bound >= 0),
    state      TEXT NOT NULL DEFAULT 'reserved'
               CHECK (state IN ('reserved', 'dispatched', 'settled', 'voided', 'forfeited', 'corrected')),
    owner      TEXT NOT NULL,  -- the process that holds the lease
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_open ON reservation (expires_at) WHERE state IN ('reserved', 'dispatched');

CREATE TRIGGER reservation_keeps_its_terms
BEFORE UPDATE OF id, created_at, request_id, model, day, month, client, project, bound ON reservation
BEGIN
    SELECT RAISE(ABORT, 'the terms of a reservation are never changed');
END;

CREATE TRIGGER reservation_moves_forward BEFORE UPDATE OF state ON reservation
WHEN NOT (
    (OLD.state = 'reserved' AND NEW.state IN ('dispatched', 'voided'))
    OR (OLD.state = 'dispatched' AND NEW.state IN ('settled', 'forfeited'))
    OR (OLD.state = 'forfeited' AND NEW.state IN ('settled', 'corrected'))
    OR (OLD.state = 'settled' AND NEW.state = 'corrected')
)
BEGIN
    SELECT RAISE(ABORT, 'a reservation only moves forward');
END;

-- When each process that holds reservations was last heard of.
CREATE TABLE owner (
    id      TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sums for reports.
CREATE TABLE tally (
    day           TEXT NOT NULL,
    model         TEXT NOT NULL,
    source        TEXT NOT NULL,
    requests      INTEGER NOT NULL DEFAULT 0,
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost          INTEGER NOT NULL DEFAULT 0,
    saved         INTEGER NOT NULL DEFAULT 0,
    billed        INTEGER NOT NULL DEFAULT 0,
    booked        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, model, source)
) STRICT, WITHOUT ROWID;

-- Calls that were charged more than was set aside for them. They block their model until its block is lifted, and can be
-- corrected until then and after it.
CREATE TABLE overbilled (
    reservation TEXT PRIMARY KEY,
    model       TEXT NOT NULL,
    bound       INTEGER NOT NULL,
    cost        INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    lifted      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Alerts that were given; each is given once.
CREATE TABLE alert (
    scope   TEXT NOT NULL,
    period  TEXT NOT NULL,
    percent INTEGER NOT NULL,
    cap     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (scope, period, percent, cap)
) STRICT, WITHOUT ROWID;
