"""Statements as the superuser of a PostgreSQL cluster that we started ourselves: for the demo's fleet and the tests' targets."""

from collections.abc import Mapping

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.local_servers.postgresql import PostgresCluster


def administer(
    cluster: PostgresCluster, *statements: object, database: str = "postgres", parameters: Mapping[str, object] | None = None
) -> list[tuple[object, ...]]:
    """Run statements (text, or composed by psycopg2.sql), each by itself, and return the rows of the last one.

    Raises:
        LocalServerError: the server refused one of them.
    """
    import psycopg2  # noqa: PLC0415 - only who starts servers needs the driver here

    try:
        connection = psycopg2.connect(cluster.url(database), connect_timeout=10)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, parameters)  # type: ignore[arg-type]
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise LocalServerError(f"The PostgreSQL in {cluster.folder} refused a statement: {str(error).strip().splitlines()[0]}") from error
