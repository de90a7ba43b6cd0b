-- Whether the account has a role now, directly or through other roles. Roles are inside databases on SQL Server only.
-- Parameters: day, engine, name.
-- Returns: answer; NULL: unknown, because memberships were not read.
select
    case
        when a.account_id in (
            with recursive holders (account_id, is_active) as (
                select
                    m.member_id,
                    m.is_default
                from classified_accounts as r
                inner join account_membership_versions as m on r.account_id = m.role_id
                where
                    r.engine = %(engine)s
                    and %(name)s::text in (r.account_name, r.short_name)
                    and m.inherits
                    and m.valid_from <= %(day)s
                    and (m.valid_until is null or m.valid_until > %(day)s)
                union
                -- nested roles come with the role that is active
                select
                    m.member_id,
                    m.is_default
                from holders as h
                inner join nested_memberships as m on h.account_id = m.role_id
                where m.inherits
            )

            -- distinct: without it the planner expects a multiple of all accounts, and sizes its hash table for them
            select distinct h.account_id from holders as h where h.is_active
        ) then true
        when a.instance_id in (
            select g.instance_id from classified_gaps as g
            where
                g.attribute is null
                and (g.scope is null or g.scope = 'membership')
                and (g.database_name is null or g.engine = 'sqlserver')
        ) then null
        else false
    end as answer
from classified_accounts as a
