-- Whether the counts of a day are of the assignments that hold on it. If no rule matches anything else than before, an assignment by hand
-- may still have ended or be of an account that is gone.
-- Parameters: day, instance_ids (integer[]; NULL: all).
-- Returns: are_counted.
select
    (
        select coalesce(sum(c.matched_accounts), 0)
        from classification_daily_counts as c
        where c.day = %(day)s and (%(instance_ids)s::integer[] is null or c.instance_id = any(%(instance_ids)s::integer[]))
    ) = (
        select count(*)
        from account_classification_assignments as t
        where
            t.valid_from <= %(day)s
            and (t.valid_until is null or t.valid_until > %(day)s)
            -- few accounts are gone: hashing them costs less than hashing those that are there
            and not exists (select 1 from instance_accounts as g where g.account_id = t.account_id and not g.is_active)
            and (
                %(instance_ids)s::integer[] is null
                or t.account_id in (select i.account_id from instance_accounts as i where i.instance_id = any(%(instance_ids)s::integer[]))
            )
    ) as are_counted
