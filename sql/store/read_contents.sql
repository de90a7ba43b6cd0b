-- What a transaction that begins now can see, as a text: it is equal as long as nobody wrote anything.
-- Parameters: none.
-- Returns: contents.
select pg_current_snapshot()::text as contents
