-- Whether the account has more direct members than this.
-- Parameters: day, engine, count.
-- Returns: answer; NULL: unknown, because memberships were not read.
select
    case
        when a.account_id in (
            select m.role_id
            from classified_accounts as r
            inner join account_membership_versions as m on r.account_id = m.role_id
            where r.engine = %(engine)s and m.valid_from <= %(day)s and (m.valid_until is null or m.valid_until > %(day)s)
            group by m.role_id
            having count(distinct m.member_id) > %(count)s::integer
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
