-- Which users may log in as which others without their password.
-- Parameters: none.
-- Returns: account_name, other_name. Source: dba_proxies.
select
    p.proxy as account_name,
    p.client as other_name
from sys.dba_proxies p
