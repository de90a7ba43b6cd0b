-- Whether the account has a privilege. A privilege that is denied on the way may still be had on another object: that is unknown.
-- `{granted}` and `{denied}` are list_holders.sql.
-- Parameters: day, engine, granted (the effect grant), denied (the effect deny), name, like, scope, database, object, grantable, own,
-- public (as in list_holders.sql).
-- Returns: answer; NULL: unknown.
select
    case
        when a.account_id in (select distinct h.account_id from ({granted}) as h)
            then case when a.account_id in (select distinct h.account_id from ({denied}) as h) then null else true end
        when a.instance_id in (
            select g.instance_id from classified_gaps as g
            where
                (g.attribute in ('administrator', 'administrative_privileges') and coalesce(%(scope)s::text, 'server') = 'server')
                or (
                    g.attribute is null
                    and g.scope is distinct from 'membership'
                    and (g.scope is null or %(scope)s::text is null or g.scope = %(scope)s::text)
                    and (
                        g.database_name is null
                        or (
                            coalesce(%(scope)s::text, '') not in ('server', 'account', 'tablespace', 'parameter')
                            and (%(database)s::text is null or g.database_name = %(database)s::text)
                        )
                    )
                )
                or (
                    not coalesce(%(own)s::boolean, false)
                    and g.attribute is null
                    and (g.scope is null or g.scope = 'membership')
                    and (g.database_name is null or g.engine = 'sqlserver')
                )
        ) then null
        else false
    end as answer
from classified_accounts as a
