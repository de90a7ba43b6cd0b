-- Every shelf of the toybox.
-- Parameters: none.
-- Returns: database_name.
select name as database_name from shelves
