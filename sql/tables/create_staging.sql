-- Where the tables of a database land by COPY before statements compare them with the stored ones; emptied at the end of the transaction.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists staged_tables (
    schema_name text not null,
    table_name text not null,
    partition_name text not null,
    kind text not null,
    total_bytes bigint not null,
    data_bytes bigint,
    index_bytes bigint,
    lob_bytes bigint,
    row_estimate bigint,
    method text not null,
    -- the planner does not know how many sizes are stored of a database, and would compare each of them with every staged one
    primary key (schema_name, table_name, partition_name, kind)
) on commit delete rows
