-- How many rows the list of accounts in classes has on a day.
-- Parameters: day, names (text[] of instances; NULL: all), code (NULL: any class), account_name (NULL: all).
-- Returns: one row.
select count(*)
from account_classification_assignments as t
inner join account_classifications as c on t.classification_id = c.classification_id
inner join instance_accounts as a on t.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
where
    t.valid_from <= %(day)s
    and (t.valid_until is null or t.valid_until > %(day)s)
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and (%(code)s::text is null or c.code = %(code)s)
    and (%(account_name)s::text is null or a.account_name = %(account_name)s)
