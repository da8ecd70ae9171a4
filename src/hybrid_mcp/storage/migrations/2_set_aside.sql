-- From format 2, before the present tables are made. What kept its entries from being changed goes with them.
DROP TRIGGER entry_is_never_changed;
DROP TRIGGER entry_is_never_deleted;
DROP TRIGGER reservation_keeps_its_terms;
DROP TRIGGER reservation_moves_forward;
DROP INDEX entry_of_request;
DROP INDEX entry_restored;
DROP INDEX entry_of_reservation;
DROP INDEX reservation_open;
ALTER TABLE entry RENAME TO old_entry;
ALTER TABLE balance RENAME TO old_balance;
ALTER TABLE proven RENAME TO old_proven;
ALTER TABLE reservation RENAME TO old_reservation;
ALTER TABLE owner RENAME TO old_owner;
ALTER TABLE tally RENAME TO old_tally;
ALTER TABLE blocked RENAME TO old_blocked;
ALTER TABLE alert RENAME TO old_alert;
ALTER TABLE book RENAME TO old_book;
