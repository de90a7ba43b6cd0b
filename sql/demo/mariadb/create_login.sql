-- The monitoring login of the demo's MariaDB.
-- Parameters: password (text).
-- Returns: nothing.
create user if not exists 'whalefall_monitor'@'%%' identified by %(password)s
