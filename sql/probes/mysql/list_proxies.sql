-- Who may become which other account by PROXY; an empty user at an empty host is anybody.
-- Parameters: none.
-- Returns: user_name, host_name, other_user_name, other_host_name, is_grantable, grantor (user@host). Source: table mysql.proxies_priv.
select
    User as user_name,
    Host as host_name,
    Proxied_user as other_user_name,
    Proxied_host as other_host_name,
    With_grant as is_grantable,
    Grantor as grantor
from mysql.proxies_priv
