-- What became of models' answers: no prompt, no answer, no note. Times are microseconds since 1970, in UTC.

-- One row. `secret_print` tells which secret the marks were found with; a new `epoch` means that all was forgotten;
-- `changes` grows with every change to `place`, so that other processes see what they have to read again.
CREATE TABLE home (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    secret_print BLOB NOT NULL,
    epoch BLOB NOT NULL,
    changes INTEGER NOT NULL
) STRICT;

-- The calls that can be reported on, and those with an outcome. `label` is NULL where none is known, `reported_at` where
-- the user has said nothing. `hundredths`: the score without what was learned.
CREATE TABLE request (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    traits BLOB NOT NULL,
    hundredths INTEGER NOT NULL CHECK (hundredths BETWEEN 0 AND 100),
    local TEXT NOT NULL CHECK (local IN ('answered', 'doubted', 'none')),
    premium INTEGER NOT NULL CHECK (premium IN (0, 1)),
    label TEXT CHECK (label IN (
        'failed', 'held', 'confirmed', 'both_failed', 'paid_held', 'paid_failed', 'doubted', 'accepted'
    )),
    reported_at INTEGER,
    reported_by TEXT
) STRICT;
CREATE INDEX request_age ON request (reported_at IS NULL, at);

-- The sums over all outcomes, always those of the rows above.
CREATE TABLE place (
    place INTEGER PRIMARY KEY,
    above INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE INDEX place_changed ON place (changed);
