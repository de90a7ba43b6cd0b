-- Let one transaction at a time claim an identity; always in the same order, so that two never wait for each other.
-- Parameters: server_identities (text[]).
-- Returns: one row for each, void. The first number is arbitrary and ours alone.
select pg_advisory_xact_lock(740039, claimed.number)
from (
    select distinct hashtext(name) as number
    from unnest(%(server_identities)s::text[]) as name
    order by number
) as claimed
