-- The accounts that existed on a day, as far as it was observed, in the order in which they were first seen.
-- Parameters: day, names (text[] of instances; NULL: all), account_names (text[]; NULL: all), part (of the name; NULL: any),
-- superusers_only and with_built_in (boolean), tag_name, tag_value (NULL: any), after_id (the last row of the page before, or NULL),
-- skipped, most (NULL for all).
-- Returns: account_id, instance_id, instance_name, engine, account_name, account_kind, is_built_in, is_everyone, can_login, is_superuser,
-- is_locked, is_password_expired, has_empty_password, password_changed_at, password_expires_at, authentication, attributes,
-- first_seen_date, last_login_at, observed_on (the newest observation up to that day).
select
    a.account_id,
    a.instance_id,
    i.name as instance_name,
    i.engine,
    v.account_name,
    a.account_kind,
    a.is_built_in,
    a.is_everyone,
    v.can_login,
    v.is_superuser,
    v.is_locked,
    v.is_password_expired,
    v.has_empty_password,
    v.password_changed_at,
    v.password_expires_at,
    v.authentication,
    v.attributes,
    a.first_seen_date,
    a.last_login_at,
    (
        select max(o.observed_on) from account_observations as o
        where o.instance_id = a.instance_id and o.observed_on <= %(day)s
    ) as observed_on
from instance_accounts as a
inner join instances as i on a.instance_id = i.instance_id
inner join account_attribute_versions as v on a.account_id = v.account_id
where
    v.valid_from <= %(day)s
    and (v.valid_until is null or v.valid_until > %(day)s)
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and (%(account_names)s::text[] is null or v.account_name = any(%(account_names)s::text[]))
    and (%(part)s::text is null or strpos(lower(v.account_name), lower(%(part)s::text)) > 0)
    and (not %(superusers_only)s or v.is_superuser)
    and (%(tag_name)s::text is null or i.tags ->> %(tag_name)s = %(tag_value)s)
    and (%(with_built_in)s or not a.is_built_in)
    and (%(after_id)s::integer is null or a.account_id > %(after_id)s::integer)
order by a.account_id
limit %(most)s offset %(skipped)s
