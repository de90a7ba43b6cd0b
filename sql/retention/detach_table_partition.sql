-- Detach a month from its table without a lock that blocks readers or writers. It cannot run inside a transaction.
-- Parameters: table_name, table_partition (identifiers).
-- Returns: nothing. Cut off while it waits, it leaves the month "detach pending": `finalize_detach` ends that.
alter table {table_name} detach partition {table_partition} concurrently
