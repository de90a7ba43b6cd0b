-- Every database that the login may see: all of them with VIEW ANY DATABASE. A snapshot is a view of its source, and no database.
-- Names come as the bytes that they are, because half a surrogate pair in one would cost the whole answer. The identifier is the
-- database's own broker identifier, beside its number, which copies do not share: a rename keeps both, and DROP and CREATE make another
-- one. Traps: create_date would not do, which Microsoft documents as the date of creation or renaming; RESTORE brings the identifier of
-- the database that was backed up, so that an older state of it is still the same database and another one's is another;
-- ALTER DATABASE … SET NEW_BROKER looks like a new database. System databases have their numbers for ever, and tempdb nothing else that
-- outlives a restart.
-- Parameters: none.
-- Returns: name_bytes (UTF-16), native_id (NULL where the server tells none). Source: sys.databases.
select
    cast(d.name as varbinary(256)) as name_bytes,
    case
        when d.database_id <= 4 then cast(d.database_id as nvarchar(10))
        when d.service_broker_guid is not null then concat(d.database_id, '/', d.service_broker_guid)
    end as native_id
from sys.databases as d
where d.source_database_id is null
