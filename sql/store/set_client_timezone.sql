-- Make current_date in any client the day that whalefall counts by.
-- Parameters: database (identifier), timezone (literal), composed because DDL takes no parameters.
-- Returns: nothing.
alter database {database} set timezone to {timezone}
