-- Add the accounts for which the expression of a rule is true; unknown is not. `{condition}` is the compiled expression.
-- Parameters: rule_id, engine, day, and those of the functions, numbered.
-- Returns: nothing.
insert into matches (rule_id, account_id)
select
    %(rule_id)s,
    a.account_id
from classified_accounts as a
where a.engine = %(engine)s and ({condition})
