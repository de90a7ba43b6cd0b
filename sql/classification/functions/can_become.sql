-- Whether the account may become a role of this name, one like a pattern, or a superuser, by SET ROLE through any number of roles.
-- Parameters: day, engine, name, like (NULL: not asked), superuser (boolean; NULL: not asked).
-- Returns: answer; NULL: unknown.
select
    case
        when a.account_id in (
            with recursive candidates (account_id) as (
                select m.member_id
                from classified_accounts as r
                inner join account_membership_versions as m on r.account_id = m.role_id
                where
                    r.engine = %(engine)s
                    and (
                        %(name)s::text in (r.account_name, r.short_name)
                        or r.account_name like %(like)s::text
                        or (%(superuser)s::boolean and r.is_superuser)
                    )
                    and m.can_set
                    and m.valid_from <= %(day)s
                    and (m.valid_until is null or m.valid_until > %(day)s)
                union
                select m.member_id
                from candidates as c
                inner join nested_memberships as m on c.account_id = m.role_id
                where m.can_set
            )

            select distinct c.account_id from candidates as c
        ) then true
        when %(superuser)s::boolean and a.is_superuser then true
        when a.instance_id in (
            select g.instance_id from classified_gaps as g
            where
                (
                    g.attribute is null
                    and (g.scope is null or g.scope = 'membership')
                    and (g.database_name is null or g.engine = 'sqlserver')
                )
                or (%(superuser)s::boolean and g.attribute in ('administrator', 'administrative_privileges'))
        ) then null
        when %(superuser)s::boolean and a.is_superuser is null then null
        -- of a role that it may become nobody knows whether it is a superuser
        when %(superuser)s::boolean and a.account_id in (
            with recursive candidates (account_id) as (
                select m.member_id
                from classified_accounts as r
                inner join account_membership_versions as m on r.account_id = m.role_id
                where
                    r.engine = %(engine)s
                    and r.is_superuser is null
                    and m.can_set
                    and m.valid_from <= %(day)s
                    and (m.valid_until is null or m.valid_until > %(day)s)
                union
                select m.member_id
                from candidates as c
                inner join nested_memberships as m on c.account_id = m.role_id
                where m.can_set
            )

            select distinct c.account_id from candidates as c
        ) then null
        else false
    end as answer
from classified_accounts as a
