-- The login that an instance brought has its name: it follows a rename, unless another instance uses it or the new name is taken.
-- Parameters: old_name (also the name of the login), new_name (of the instance by now, and wanted for the login).
-- Returns: nothing.
update credentials
set
    name = %(new_name)s,
    updated_at = now()
where
    name = %(old_name)s
    and not exists (select 1 from credentials as taken where taken.name = %(new_name)s)
    and exists (
        select 1 from instances as i
        where i.credential_id = credentials.credential_id and i.name = %(new_name)s
    )
    and not exists (
        select 1 from instances as i
        where i.credential_id = credentials.credential_id and i.name <> %(new_name)s
    )
