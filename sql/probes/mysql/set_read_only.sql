-- Keeps this session from writing anything.
-- Parameters: none.
-- Returns: nothing.
set session transaction read only
