-- Whether the password of the account has expired, or the day has come until which it is valid.
-- Parameters: day.
-- Returns: answer; NULL: unknown.
select
    case
        when a.is_password_expired or a.password_expires_at::date <= %(day)s then true
        when a.instance_id in (
            select g.instance_id from classified_gaps as g where g.attribute in ('is_password_expired', 'password_expires_at')
        ) then null
        else false
    end as answer
from classified_accounts as a
