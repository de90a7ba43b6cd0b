-- The server's version, and our account in the notation of GRANT (the host of an account contains no @, its user may).
-- Parameters: none.
-- Returns: server_version, server_comment, grantee.
with me as (
    select
        current_user() as user_at_host,
        substring_index(current_user(), '@', -1) as host_name
)

select
    version() as server_version,
    @@version_comment as server_comment,
    concat(quote(left(user_at_host, char_length(user_at_host) - char_length(host_name) - 1)), '@', quote(host_name)) as grantee
from me
