-- How many accounts existed on a day, as far as it was observed.
-- Parameters: day, names (text[] of instances; NULL: all), part (of the name; NULL: any), superusers_only and with_built_in (boolean),
-- tag_name, tag_value (NULL: any).
-- Returns: one row.
select count(*)
from instance_accounts as a
inner join instances as i on a.instance_id = i.instance_id
inner join account_attribute_versions as v on a.account_id = v.account_id
where
    v.valid_from <= %(day)s
    and (v.valid_until is null or v.valid_until > %(day)s)
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and (%(part)s::text is null or strpos(lower(v.account_name), lower(%(part)s::text)) > 0)
    and (not %(superusers_only)s or v.is_superuser)
    and (%(tag_name)s::text is null or i.tags ->> %(tag_name)s = %(tag_value)s)
    and (%(with_built_in)s or not a.is_built_in)
