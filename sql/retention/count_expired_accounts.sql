-- The number of versions of accounts that ended before a day, with the observations of the days before it. The newest observation of each
-- instance stays, and what accounts are now.
-- Parameters: before (date).
-- Returns: versions.
select
    (select count(*) from account_attributes where valid_until <= %(before)s::date)
    + (select count(*) from account_membership_versions where valid_until <= %(before)s::date)
    + (select count(*) from account_privileges where valid_until <= %(before)s::date)
    + (select count(*) from account_reach_versions where valid_until <= %(before)s::date)
    + (select count(*) from account_gaps where valid_until <= %(before)s::date)
    + (
        select count(*) from account_observations as o
        where
            o.observed_on < %(before)s::date
            and exists (select 1 from account_observations as n where n.instance_id = o.instance_id and n.observed_on > o.observed_on)
    ) as versions
