-- Let one transaction at a time claim an identity.
-- Parameters: server_identity.
-- Returns: one row, void. The first number is arbitrary and ours alone.
select pg_advisory_xact_lock(740039, hashtext(%(server_identity)s))
