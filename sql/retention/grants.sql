-- Footprints expire.
-- Parameters: writer (identifier).
-- Returns: nothing.
grant delete on footprints to {writer}
