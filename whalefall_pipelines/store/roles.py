"""Writes the SQL that separates the roles of the store, for an administrator to review and run. It is not executed here.

`sql/store/roles/` and the `grants.sql` of each area have the privileges. `months.py` lets a writer act as the owner to create a month.
"""

import re
from dataclasses import astuple, dataclass

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.areas import areas
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class StoreRoles:
    """The roles that own, write and read the store, and that of the web process, which writes and registers servers.

    With `owner_keeps_months` the writer can never act as the owner.
    """

    owner: str = "whalefall_owner"
    writer: str = "whalefall_writer"
    reader: str = "whalefall_reader"
    web: str = "whalefall_web"
    owner_keeps_months: bool = False


def write_role_statements(database: Database, roles: StoreRoles, *, is_dagster: bool) -> str:
    """The statements for whalefall's database or for Dagster's. They are idempotent, and a superuser runs them.

    Raises:
        InputError: a name is not a valid role name, or two roles have the same name.
    """
    names = astuple(roles)[:4]
    unfit = [name for name in names if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", name) or name.startswith("pg_")]
    if unfit:
        listed = ", ".join(map(repr, unfit))
        raise InputError(f"Invalid role names: {listed}. Use at most 63 letters, digits, _ and -, and do not begin with pg_.")
    if len(set(names)) < len(names):
        raise InputError("Owner, writer, reader and web must be four different roles.")
    months = "keep_writer_from_months" if roles.owner_keeps_months else "let_writer_maintain_months"
    grants = ("store/roles/give_to_owner", "store/roles/grant_dagster")
    if not is_dagster:
        of_areas = (f"{area.name}/grants" for area in areas() if area.has_grants)
        grants = (f"store/roles/{months}", "store/roles/give_to_owner", "store/roles/grant_whalefall", *of_areas)
    with database.transaction() as cursor:
        cursor.execute(queries.load("store/roles/find_schema"))
        (schema_name,) = cursor.fetchone() or ("public",)
        identifiers = dict(zip(("owner", "writer", "reader", "web"), names, strict=True))
        identifiers |= {"database": str(database.url.database), "schema": schema_name}
        return "\n".join(
            cursor.write_out(
                sql.SQL(queries.load(part) + ";").format(
                    schema_name=sql.Literal(schema_name), **{key: sql.Identifier(name) for key, name in identifiers.items()}
                )
            )
            for part in ("store/roles/create_roles", *grants)
        )
