-- Every database that is visible to the login: with VIEW ANY DATABASE all of them. A snapshot is a view of its source and not listed.
-- Names are returned as bytes, because one unpaired surrogate in a name would fail the whole query. The identifier is the database's broker
-- identifier with its number, which copies do not share: a rename keeps both, and DROP and CREATE change them. Traps: create_date is
-- documented as the date of creation or renaming, so it cannot be used; RESTORE brings the identifier of the database in the backup, so
-- an older state of a database has the same identifier and another database has another; ALTER DATABASE … SET NEW_BROKER looks like a
-- new database. System databases have fixed numbers, and tempdb has nothing else that survives a restart.
-- Parameters: none.
-- Returns: name_bytes (UTF-16), native_id (NULL if the server reports none). Source: sys.databases.
select
    cast(d.name as varbinary(256)) as name_bytes,
    case
        when d.database_id <= 4 then cast(d.database_id as nvarchar(10))
        when d.service_broker_guid is not null then concat(d.database_id, '/', d.service_broker_guid)
    end as native_id
from sys.databases as d
where d.source_database_id is null
