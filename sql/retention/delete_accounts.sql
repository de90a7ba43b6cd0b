-- Delete versions of accounts that ended before a day, and observations of the days before it, so many at once of each kind. The newest
-- observation of each instance stays, and what accounts are now.
-- Parameters: before (date), most.
-- Returns: one row per deleted row.
with
deleted_account_attributes as (
    delete from account_attributes
    where
        ctid = any(array(
            select v.ctid from account_attributes as v
            where v.valid_until <= %(before)s::date
            order by v.valid_until
            limit %(most)s
        ))
    returning 1 as deleted
),

deleted_account_membership_versions as (
    delete from account_membership_versions
    where
        ctid = any(array(
            select v.ctid from account_membership_versions as v
            where v.valid_until <= %(before)s::date
            order by v.valid_until
            limit %(most)s
        ))
    returning 1 as deleted
),

deleted_account_privileges as (
    delete from account_privileges
    where
        ctid = any(array(
            select v.ctid from account_privileges as v
            where v.valid_until <= %(before)s::date
            order by v.valid_until
            limit %(most)s
        ))
    returning 1 as deleted
),

deleted_account_reach_versions as (
    delete from account_reach_versions
    where
        ctid = any(array(
            select v.ctid from account_reach_versions as v
            where v.valid_until <= %(before)s::date
            order by v.valid_until
            limit %(most)s
        ))
    returning 1 as deleted
),

deleted_account_gaps as (
    delete from account_gaps
    where
        ctid = any(array(
            select v.ctid from account_gaps as v
            where v.valid_until <= %(before)s::date
            order by v.valid_until
            limit %(most)s
        ))
    returning 1 as deleted
),

deleted_account_observations as (
    delete from account_observations
    where
        ctid = any(array(
            select o.ctid from account_observations as o
            where
                o.observed_on < %(before)s::date
                and exists (select 1 from account_observations as n where n.instance_id = o.instance_id and n.observed_on > o.observed_on)
            order by o.observed_on
            limit %(most)s
        ))
    returning 1 as deleted
)

select deleted from deleted_account_attributes
union all
select deleted from deleted_account_membership_versions
union all
select deleted from deleted_account_privileges
union all
select deleted from deleted_account_reach_versions
union all
select deleted from deleted_account_gaps
union all
select deleted from deleted_account_observations
