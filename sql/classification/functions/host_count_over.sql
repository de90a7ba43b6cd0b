-- Whether more accounts of the same server than this have the user name of the account.
-- Parameters: engine, count.
-- Returns: answer; NULL: accounts of this engine have no host.
select
    case
        when a.attributes ->> 'user' is not null then
            (a.instance_id, a.attributes ->> 'user') in (
                select
                    o.instance_id,
                    o.attributes ->> 'user'
                from classified_accounts as o
                where o.engine = %(engine)s and o.account_kind <> 'role' and o.attributes ->> 'user' is not null
                group by o.instance_id, o.attributes ->> 'user'
                having count(*) > %(count)s::integer
            )
    end as answer
from classified_accounts as a
