-- Add the accounts for which the expressions of rules are true; unknown is not. `{answers}` are the columns with what the rules ask, each
-- asked once for every account, `{rules}` the id of each rule where its expression is true.
-- Parameters: engine, day, the ids of the rules, and those of the functions, numbered.
-- Returns: nothing.
insert into matches (rule_id, account_id)
-- materialized: else every rule would ask for itself
with answers as materialized (
    select
        a.account_id,
        {answers}
    from classified_accounts as a
    where a.engine = %(engine)s
)

select
    unnest(array_remove(array[{rules}], null)) as rule_id,
    account_id
from answers
