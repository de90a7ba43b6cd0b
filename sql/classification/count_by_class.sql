-- How many accounts are in each class on a day. An account that several rules put into a class is in it once.
-- Parameters: day.
-- Returns: code, accounts; no row for a class without accounts.
select
    c.code,
    count(*)::integer as accounts
from (
    select distinct
        account_id,
        classification_id
    from account_classification_assignments
    where valid_from <= %(day)s and (valid_until is null or valid_until > %(day)s)
) as t
inner join account_classifications as c on t.classification_id = c.classification_id
group by c.code
