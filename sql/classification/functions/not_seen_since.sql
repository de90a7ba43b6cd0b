-- Whether the account has not logged in for more than so many days. Oracle tells the last login of every account: there NULL is "never",
-- which is known only since the account was first observed. A login after the day says nothing about that day.
-- Parameters: day, days.
-- Returns: answer; NULL: unknown.
select
    case
        when a.last_login_at is null and a.engine = 'oracle' then a.first_seen_date < %(day)s::date - %(days)s::integer
        when a.last_login_at::date <= %(day)s then a.last_login_at::date < %(day)s::date - %(days)s::integer
    end as answer
from classified_accounts as a
