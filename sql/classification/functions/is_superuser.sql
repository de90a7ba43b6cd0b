-- Whether the account is a superuser by itself. One that is none may still be an administrator by what was not read.
-- Parameters: none.
-- Returns: answer; NULL: unknown.
select
    case
        when a.is_superuser then true
        when a.instance_id in (
            select g.instance_id from classified_gaps as g where g.attribute in ('administrator', 'administrative_privileges')
        ) then null
        else a.is_superuser
    end as answer
from classified_accounts as a
