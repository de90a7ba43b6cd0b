-- End the assignment of an account to a class by hand. One that began today leaves no trace.
-- Parameters: account_id, classification_id, day.
-- Returns: account_id, if there was one.
with deleted as (
    delete from account_classification_assignments
    where
        account_id = %(account_id)s
        and classification_id = %(classification_id)s
        and assignment_type = 'manual'
        and valid_from >= %(day)s
    returning account_id
),

ended as (
    update account_classification_assignments
    set valid_until = %(day)s
    where
        account_id = %(account_id)s
        and classification_id = %(classification_id)s
        and assignment_type = 'manual'
        and valid_from < %(day)s
        and (valid_until is null or valid_until > %(day)s)
    returning account_id
)

select account_id from deleted
union all
select account_id from ended
