-- Add or change logins.
-- Parameters: credentials (json list of name, username, secret).
-- Returns: nothing.
insert into credentials (name, username, secret)
select
    given.name,
    given.username,
    given.secret
from jsonb_to_recordset(%(credentials)s::jsonb) as given (name text, username text, secret text)
on conflict (name) do update
    set
        username = excluded.username,
        secret = excluded.secret,
        updated_at = now()
