-- Undo the part of the transaction since its savepoint.
-- Parameters: none.
-- Returns: nothing.
rollback to savepoint part_of_work
