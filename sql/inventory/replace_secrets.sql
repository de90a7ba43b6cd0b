-- Put other ciphertexts of the same passwords in the place of those that were read. It is no change of a login, which would be tried again.
-- Parameters: credentials (json list of name, old_secret, secret).
-- Returns: name of each that was replaced.
update credentials as c
set secret = given.secret
from jsonb_to_recordset(%(credentials)s::jsonb) as given (name text, old_secret text, secret text)
where c.name = given.name and c.secret = given.old_secret
returning c.name
