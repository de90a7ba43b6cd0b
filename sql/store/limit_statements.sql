-- How long each statement that follows may take before the store cancels it.
-- Parameters: statement_timeout, is_local (whether only for this transaction).
-- Returns: statement_timeout.
select set_config('statement_timeout', %(statement_timeout)s, %(is_local)s) as statement_timeout
