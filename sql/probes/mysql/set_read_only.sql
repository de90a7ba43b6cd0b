-- Makes this session read-only.
-- Parameters: none.
-- Returns: nothing.
set session transaction read only
