-- The figures of a day: what was read of the fleet, and what changed since the day before.
-- Parameters: day.
-- Returns: instances, accounts, built_in (of these accounts, as of now), created, gone, changed, superusers, unread, privileges,
-- memberships; one row.
with observed as (
    select
        instance_id,
        account_count,
        membership_count,
        privilege_count
    from account_observations
    where observed_on = %(day)s
)

select
    (select count(*) from observed)::integer as instances,
    (select coalesce(sum(account_count), 0) from observed)::integer as accounts,
    (
        select count(*)
        from instance_accounts as a
        inner join observed as o on a.instance_id = o.instance_id
        where a.is_built_in and a.is_active
    )::integer as built_in,
    (select coalesce(sum(membership_count), 0) from observed)::integer as memberships,
    (select coalesce(sum(privilege_count), 0) from observed)::integer as privileges,
    (select count(*) from account_change_log where day = %(day)s and change_type in ('add', 'restore'))::integer as created,
    (select count(*) from account_change_log where day = %(day)s and change_type = 'delete')::integer as gone,
    (select count(*) from account_change_log where day = %(day)s and change_type = 'modify_privilege')::integer as changed,
    (
        select count(*)
        from account_attribute_versions as v
        inner join instance_accounts as a on v.account_id = a.account_id
        inner join observed as o on a.instance_id = o.instance_id
        where v.is_superuser and v.valid_from <= %(day)s and (v.valid_until is null or v.valid_until > %(day)s)
    )::integer as superusers,
    (
        select count(*) from account_gaps
        where account_id is null and valid_from <= %(day)s and (valid_until is null or valid_until > %(day)s)
    )::integer as unread
