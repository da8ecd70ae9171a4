-- From format 2, after the present tables were made. Its tables have the same columns, but it knew of an overbilled model
-- only, not of the call.
UPDATE book SET (name, proven_entry) = (SELECT name, proven_entry FROM old_book);
INSERT INTO entry SELECT * FROM old_entry;
INSERT INTO balance SELECT * FROM old_balance;
INSERT INTO proven SELECT * FROM old_proven;
INSERT INTO reservation SELECT * FROM old_reservation;
INSERT INTO owner SELECT * FROM old_owner;
INSERT INTO tally SELECT * FROM old_tally;
INSERT INTO alert SELECT * FROM old_alert;

INSERT INTO overbilled (reservation, model, bound, cost, at)
SELECT max(entry.reservation), blocked.model, blocked.bound, blocked.cost, blocked.at
FROM old_blocked AS blocked JOIN old_entry AS entry ON entry.model = blocked.model AND entry.at = blocked.at
WHERE entry.state IN ('settled', 'forfeited') AND blocked.cost = (
    SELECT sum(spent_delta) FROM old_entry WHERE reservation = entry.reservation
)
GROUP BY blocked.model;

DROP TABLE old_entry;
DROP TABLE old_balance;
DROP TABLE old_proven;
DROP TABLE old_reservation;
DROP TABLE old_owner;
DROP TABLE old_tally;
DROP TABLE old_blocked;
DROP TABLE old_alert;
DROP TABLE old_book;
