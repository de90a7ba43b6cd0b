-- Replace ciphertexts of passwords with new ones. It does not count as a change of the login, which would cause a retry.
-- Parameters: credentials (json list of name, old_secret, secret).
-- Returns: name of each that was replaced.
update credentials as c
set secret = given.secret
from jsonb_to_recordset(%(credentials)s::jsonb) as given (name text, old_secret text, secret text)
where c.name = given.name and c.secret = given.old_secret
returning c.name
