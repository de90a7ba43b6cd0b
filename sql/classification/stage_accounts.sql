-- Stage the accounts that existed on a day on instances that were active, as far as they were observed.
-- Parameters: day, instance_ids (integer[]; NULL: all).
-- Returns: nothing.
insert into classified_accounts (
    account_id, instance_id, engine, account_name, short_name, account_kind, is_built_in, is_everyone, database_name, can_login,
    is_superuser, is_locked, is_password_expired, has_empty_password, password_changed_at, password_expires_at, attributes,
    first_seen_date, last_login_at
)
select
    a.account_id,
    a.instance_id,
    i.engine,
    v.account_name,
    case
        when v.attributes ? 'user' then v.attributes ->> 'user'
        -- [database].[name], in which ] is doubled
        when a.database_name is not null
            then replace(left(substr(v.account_name, length(replace(a.database_name, ']', ']]')) + 5), -1), ']]', ']')
        else v.account_name
    end as short_name,
    a.account_kind,
    a.is_built_in,
    a.is_everyone,
    a.database_name,
    v.can_login,
    v.is_superuser,
    v.is_locked,
    v.is_password_expired,
    v.has_empty_password,
    v.password_changed_at,
    v.password_expires_at,
    v.attributes,
    a.first_seen_date,
    a.last_login_at
from instance_accounts as a
inner join instances as i on a.instance_id = i.instance_id
inner join account_attribute_versions as v on a.account_id = v.account_id
where
    v.valid_from <= %(day)s
    and (v.valid_until is null or v.valid_until > %(day)s)
    and (%(instance_ids)s::integer[] is null or a.instance_id = any(%(instance_ids)s::integer[]))
    and exists (
        select 1 from instance_activity as t
        where t.instance_id = a.instance_id and t.active_from <= %(day)s and (t.active_until is null or t.active_until >= %(day)s)
    )
-- those of an engine lie together
order by i.engine, a.account_id
