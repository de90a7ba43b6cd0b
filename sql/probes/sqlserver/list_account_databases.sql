-- Every database, who owns it, and whether the login can be in it now (it may be closed, or refuse the login).
-- Parameters: none.
-- Returns: name_bytes (UTF-16), owner_sid (bytes), is_trustworthy, is_online, may_enter. Source: sys.databases.
select
    cast(d.name as varbinary(256)) as name_bytes,
    d.owner_sid,
    d.is_trustworthy_on as is_trustworthy,
    case when d.state = 0 then 1 else 0 end as is_online,
    has_dbaccess(d.name) as may_enter
from sys.databases as d
where d.source_database_id is null
