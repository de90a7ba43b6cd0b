-- Sessions and their records expire; the moves of their states are fixed.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on sync_state_moves from {writer};
grant delete on sync_sessions, sync_instance_records to {writer}
