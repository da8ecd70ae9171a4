-- From format 1, before the present tables are made. What kept its entries from being changed goes with them.
DROP TRIGGER entry_is_never_changed;
DROP TRIGGER entry_is_never_deleted;
DROP TRIGGER reservation_keeps_its_terms;
DROP TRIGGER reservation_moves_forward;
DROP INDEX entry_ended;
DROP INDEX entry_end;
DROP INDEX reservation_open;
ALTER TABLE entry RENAME TO old_entry;
ALTER TABLE balance RENAME TO old_balance;
ALTER TABLE reservation RENAME TO old_reservation;
