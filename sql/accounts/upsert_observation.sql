-- Record that the accounts of an instance were read on a day.
-- Parameters: instance_id, day, observed_at, method, account_count, membership_count, privilege_count, unread_count, facts_digest (NULL: it
-- must be compared again), session_id.
-- Returns: nothing.
insert into account_observations (
    instance_id, observed_on, observed_at, method, account_count, membership_count, privilege_count, unread_count, facts_digest, session_id
)
values (
    %(instance_id)s, %(day)s, %(observed_at)s, %(method)s, %(account_count)s, %(membership_count)s, %(privilege_count)s, %(unread_count)s,
    %(facts_digest)s, %(session_id)s
)
on conflict (instance_id, observed_on) do update
    set
        observed_at = excluded.observed_at,
        method = excluded.method,
        account_count = excluded.account_count,
        membership_count = excluded.membership_count,
        privilege_count = excluded.privilege_count,
        unread_count = excluded.unread_count,
        facts_digest = excluded.facts_digest,
        session_id = excluded.session_id
