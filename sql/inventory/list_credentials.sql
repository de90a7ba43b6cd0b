-- Every stored login.
-- Parameters: none.
-- Returns: name, username, secret.
select
    name,
    username,
    secret
from credentials
order by credential_id
