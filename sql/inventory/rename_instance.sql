-- Give an instance another name. Its id stays, and so does everything that was collected from it.
-- Parameters: old_name, new_name.
-- Returns: nothing.
update instances
set
    name = %(new_name)s,
    updated_at = now()
where name = %(old_name)s
