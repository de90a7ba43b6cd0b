-- An instance, an active account of it, and a class by their names.
-- Parameters: instance_name, account_name, code.
-- Returns: instance_id, account_id, classification_id (NULL: there is none of this name); no row: there is no such instance.
select
    i.instance_id,
    a.account_id,
    c.classification_id
from instances as i
left join instance_accounts as a on i.instance_id = a.instance_id and a.account_name = %(account_name)s and a.is_active
left join account_classifications as c on c.code = %(code)s
where i.name = %(instance_name)s
