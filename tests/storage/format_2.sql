-- A book of format 2, as the program wrote it that kept such books.
PRAGMA application_id = 1213812035;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE alert (
    scope   TEXT NOT NULL,
    period  TEXT NOT NULL,
    percent INTEGER NOT NULL,
    cap     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (scope, period, percent, cap)
) STRICT, WITHOUT ROWID;
INSERT INTO "alert" VALUES('month','2026-11',50,50000000000,1795176000000000);
CREATE TABLE balance (
    scope    TEXT NOT NULL CHECK (scope IN ('day', 'month', 'client', 'project')),
    period   TEXT NOT NULL,
    spent    INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    CHECK (spent + reserved <= 4611686018427387904),  -- money.MAX_NANOS
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;
INSERT INTO "balance" VALUES('client','client-1',31100000000,1400000000);
INSERT INTO "balance" VALUES('day','2026-10-30',300000000,0);
INSERT INTO "balance" VALUES('day','2026-11-19',800000000,0);
INSERT INTO "balance" VALUES('day','2026-11-20',30000000000,1400000000);
INSERT INTO "balance" VALUES('month','2026-10',300000000,0);
INSERT INTO "balance" VALUES('month','2026-11',30800000000,1400000000);
INSERT INTO "balance" VALUES('project','2026-10 project-1',300000000,0);
INSERT INTO "balance" VALUES('project','2026-11 project-1',30800000000,1400000000);
CREATE TABLE blocked (
    model TEXT PRIMARY KEY,
    bound INTEGER NOT NULL,
    cost  INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "blocked" VALUES('acme:large',400000000,30000000000,1795176000000000);
CREATE TABLE book (
    name          TEXT NOT NULL,    -- random; a copy keeps it
    proven_entry  INTEGER NOT NULL  -- up to here `proven` holds the sums of the entries
) STRICT;
INSERT INTO "book" VALUES('8583b6d47e1776b8',11);
CREATE TABLE entry (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    reservation    TEXT,  -- NULL where nothing was set aside
    state          TEXT NOT NULL
                   CHECK (state IN ('reserved', 'dispatched', 'settled', 'voided', 'forfeited', 'free', 'restored')),
    day            TEXT NOT NULL,
    month          TEXT NOT NULL,
    client         TEXT NOT NULL,
    project        TEXT NOT NULL,  -- its month, a blank, its name
    spent_delta    INTEGER NOT NULL CHECK (spent_delta >= 0 OR state = 'settled'),
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
    billed         INTEGER CHECK (billed >= 0),  -- as the provider says, and what the price book makes of it:
    booked         INTEGER CHECK (booked >= 0),
    CHECK ((reservation IS NULL) = (state IN ('free', 'restored'))),
    CHECK (outcome IS NULL OR (model IS NOT NULL AND source IS NOT NULL))
) STRICT;
INSERT INTO "entry" VALUES(1,1793361600000000,'b3a8aa3550624fc6a32678575b9b8c65','reserved','2026-10-30','2026-10','client-1','2026-10 project-1',0,300000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(2,1793361600000000,'b3a8aa3550624fc6a32678575b9b8c65','dispatched','2026-10-30','2026-10','client-1','2026-10 project-1',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(3,1793361600000000,'b3a8aa3550624fc6a32678575b9b8c65','settled','2026-10-30','2026-10','client-1','2026-10 project-1',300000000,-300000000,'request-1','acme:large','cloud','ok',100,20,7,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(4,1795089600000000,'7fbc52d32631d49393fd4ca77f1a34c7','reserved','2026-11-19','2026-11','client-1','2026-11 project-1',0,700000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(5,1795089600000000,'7fbc52d32631d49393fd4ca77f1a34c7','dispatched','2026-11-19','2026-11','client-1','2026-11 project-1',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(6,1795089600000000,'7fbc52d32631d49393fd4ca77f1a34c7','settled','2026-11-19','2026-11','client-1','2026-11 project-1',600000000,-700000000,'request-2','acme:large','cloud','ok',100,20,7,900000000,600000000,500000000);
INSERT INTO "entry" VALUES(7,1795089600000000,'5ab6ef7b3d5751cf2943cbabfa8422a5','reserved','2026-11-19','2026-11','client-1','2026-11 project-1',0,500000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(8,1795089600000000,'5ab6ef7b3d5751cf2943cbabfa8422a5','dispatched','2026-11-19','2026-11','client-1','2026-11 project-1',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(9,1795089650000000,'5ab6ef7b3d5751cf2943cbabfa8422a5','forfeited','2026-11-19','2026-11','client-1','2026-11 project-1',500000000,-500000000,'request-3','acme:large','cloud','expired',0,0,0,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(10,1795089650000000,'5ab6ef7b3d5751cf2943cbabfa8422a5','settled','2026-11-19','2026-11','client-1','2026-11 project-1',-300000000,0,'request-3','acme:large','cloud','ok',100,20,7,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(11,1795089650000000,'81a3cb0643072fe22c36b587e142a663','reserved','2026-11-19','2026-11','client-1','2026-11 project-1',0,100000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(12,1795089650000000,'81a3cb0643072fe22c36b587e142a663','voided','2026-11-19','2026-11','client-1','2026-11 project-1',0,-100000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(13,1795176000000000,'12f40207fac4bd5bebf3503f392560b4','reserved','2026-11-20','2026-11','client-1','2026-11 project-1',0,400000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(14,1795176000000000,'12f40207fac4bd5bebf3503f392560b4','dispatched','2026-11-20','2026-11','client-1','2026-11 project-1',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(15,1795176000000000,'12f40207fac4bd5bebf3503f392560b4','settled','2026-11-20','2026-11','client-1','2026-11 project-1',30000000000,-400000000,'request-5','acme:large','cloud','ok',100,20,7,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(16,1795176000000000,NULL,'free','2026-11-20','2026-11','client-1','2026-11 project-1',0,0,'request-6','here:small','local','ok',100,20,7,300000000,NULL,NULL);
INSERT INTO "entry" VALUES(17,1795176000000000,'5c6a831ce6dcce2983c328f887dff6f8','reserved','2026-11-20','2026-11','client-1','2026-11 project-1',0,600000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(18,1795176000000000,'88f708f688ff5379ae63baa5da08b6bf','reserved','2026-11-20','2026-11','client-1','2026-11 project-1',0,800000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(19,1795176000000000,'88f708f688ff5379ae63baa5da08b6bf','dispatched','2026-11-20','2026-11','client-1','2026-11 project-1',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE owner (
    id      TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "owner" VALUES('31443-1793361600000000-2c8a3c30',1795176000000000);
CREATE TABLE proven (
    scope    TEXT NOT NULL,
    period   TEXT NOT NULL,
    spent    INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;
INSERT INTO "proven" VALUES('client','client-1',1100000000,100000000);
INSERT INTO "proven" VALUES('day','2026-10-30',300000000,0);
INSERT INTO "proven" VALUES('day','2026-11-19',800000000,100000000);
INSERT INTO "proven" VALUES('month','2026-10',300000000,0);
INSERT INTO "proven" VALUES('month','2026-11',800000000,100000000);
INSERT INTO "proven" VALUES('project','2026-10 project-1',300000000,0);
INSERT INTO "proven" VALUES('project','2026-11 project-1',800000000,100000000);
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
               CHECK (state IN ('reserved', 'dispatched', 'settled', 'voided', 'forfeited')),
    owner      TEXT NOT NULL,  -- the process that holds the lease
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "reservation" VALUES('12f40207fac4bd5bebf3503f392560b4',1795176000000000,'request-5','acme:large','2026-11-20','2026-11','client-1','2026-11 project-1',400000000,'settled','31443-1793361600000000-2c8a3c30',1795176080000000);
INSERT INTO "reservation" VALUES('5ab6ef7b3d5751cf2943cbabfa8422a5',1795089600000000,'request-3','acme:large','2026-11-19','2026-11','client-1','2026-11 project-1',500000000,'settled','31443-1793361600000000-2c8a3c30',1795089650000000);
INSERT INTO "reservation" VALUES('5c6a831ce6dcce2983c328f887dff6f8',1795176000000000,'request-7','acme:small','2026-11-20','2026-11','client-1','2026-11 project-1',600000000,'reserved','31443-1793361600000000-2c8a3c30',1795176060000000);
INSERT INTO "reservation" VALUES('7fbc52d32631d49393fd4ca77f1a34c7',1795089600000000,'request-2','acme:large','2026-11-19','2026-11','client-1','2026-11 project-1',700000000,'settled','31443-1793361600000000-2c8a3c30',1795089680000000);
INSERT INTO "reservation" VALUES('81a3cb0643072fe22c36b587e142a663',1795089650000000,'request-4','acme:large','2026-11-19','2026-11','client-1','2026-11 project-1',100000000,'voided','31443-1793361600000000-2c8a3c30',1795089730000000);
INSERT INTO "reservation" VALUES('88f708f688ff5379ae63baa5da08b6bf',1795176000000000,'request-8','acme:small','2026-11-20','2026-11','client-1','2026-11 project-1',800000000,'dispatched','31443-1793361600000000-2c8a3c30',1795176060000000);
INSERT INTO "reservation" VALUES('b3a8aa3550624fc6a32678575b9b8c65',1793361600000000,'request-1','acme:large','2026-10-30','2026-10','client-1','2026-10 project-1',300000000,'settled','31443-1793361600000000-2c8a3c30',1793361680000000);
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
INSERT INTO "tally" VALUES('2026-10-30','acme:large','cloud',1,100,20,300000000,0,0,0);
INSERT INTO "tally" VALUES('2026-11-19','acme:large','cloud',2,200,40,800000000,300000000,600000000,500000000);
INSERT INTO "tally" VALUES('2026-11-20','acme:large','cloud',1,100,20,30000000000,0,0,0);
INSERT INTO "tally" VALUES('2026-11-20','here:small','local',1,100,20,0,300000000,0,0);
CREATE INDEX entry_of_request ON entry (request_id) WHERE outcome IS NOT NULL;
CREATE INDEX entry_restored ON entry (month) WHERE state = 'restored';
CREATE UNIQUE INDEX entry_of_reservation ON entry (reservation, state) WHERE reservation IS NOT NULL;
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'an entry of the ledger is never changed');
END;
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
BEGIN
    SELECT RAISE(ABORT, 'an entry of the ledger is never deleted');
END;
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
    OR (OLD.state = 'forfeited' AND NEW.state = 'settled')
)
BEGIN
    SELECT RAISE(ABORT, 'a reservation only moves forward');
END;
COMMIT;
