"""The catalogue views that every database of the SQL Server for tests has, with the columns that Microsoft documents."""

_COLUMNS = {
    "objects": "object_id integer, schema_id integer, name varchar, type varchar, is_ms_shipped boolean",
    "schemas": "schema_id integer, name varchar, principal_id integer",
    "tables": "object_id integer, is_memory_optimized boolean",
    "internal_tables": "object_id integer, parent_id integer",
    "partitions": "object_id integer, index_id integer, partition_number integer, partition_id bigint, hobt_id bigint, rows bigint",
    "allocation_units": "total_pages bigint, type tinyint, container_id bigint",
}
# The function that stands for each view, by the name of the database.
OWN_VIEWS = {"database_files": "server.files_of", **{name: f"server.{name}_of" for name in _COLUMNS}}


def definitions() -> str:
    """A table for each view, with the rows of all databases, and a function with those of one."""
    return "\n".join(
        f"create table server.{name} (database_id integer, {columns});"
        f"create macro server.{name}_of(wanted) as table select r.* from server.{name} as r "
        "join server.databases as d using (database_id) where d.name = wanted and server.has_right('VIEW ANY DEFINITION');"
        for name, columns in _COLUMNS.items()
    )
