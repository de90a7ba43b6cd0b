-- Put an account into a class by hand, unless it is.
-- Parameters: account_id, classification_id, day, until (NULL: for ever), assigned_by, notes.
-- Returns: account_id, if it was not.
insert into account_classification_assignments (
    account_id, classification_id, assignment_type, assigned_by, notes, valid_from, valid_until
)
select
    %(account_id)s,
    %(classification_id)s,
    'manual',
    %(assigned_by)s,
    %(notes)s,
    %(day)s,
    %(until)s::date
where
    not exists (
        select 1 from account_classification_assignments as t
        where
            t.account_id = %(account_id)s
            and t.classification_id = %(classification_id)s
            and t.assignment_type = 'manual'
            and (t.valid_until is null or t.valid_until > %(day)s)
    )
returning account_id
