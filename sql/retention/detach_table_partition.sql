-- Take a month out of its table without a lock that readers or writers wait for. It cannot run inside a transaction.
-- Parameters: table_name, table_partition (identifiers).
-- Returns: nothing. Cut off while it waits, it leaves the month "detach pending": `finalize_detach` ends that.
alter table {table_name} detach partition {table_partition} concurrently
