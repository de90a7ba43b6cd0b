"""Runs statements as the superuser of a PostgreSQL cluster that we started: for the demo's fleet and the targets of tests."""

from collections.abc import Mapping

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster


def administer(
    cluster: PostgresCluster,
    *statements: str,
    database: str = "postgres",
    parameters: Mapping[str, object] | None = None,
    identifiers: Mapping[str, str] | None = None,
    literals: Mapping[str, str] | None = None,
) -> list[tuple[object, ...]]:
    """Run statements, each by itself, and return the rows of the last one.

    DDL takes no parameters: its `{name}`s are composed from `identifiers` and `literals`.

    Raises:
        LocalServerError: the server refused one of them.
    """
    import psycopg2  # noqa: PLC0415 - only who starts servers needs the driver here
    from psycopg2 import sql  # noqa: PLC0415

    names = {key: sql.Identifier(value) for key, value in (identifiers or {}).items()}
    values = {key: sql.Literal(value) for key, value in (literals or {}).items()}
    try:
        connection = psycopg2.connect(cluster.url(database), connect_timeout=10)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(sql.SQL(statement).format(**names, **values) if names or values else statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise LocalServerError(f"The PostgreSQL in {cluster.folder} refused a statement: {str(error).strip().splitlines()[0]}") from error
