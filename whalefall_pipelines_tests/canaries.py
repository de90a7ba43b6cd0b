"""Passwords that exist only to be searched for, and every place where they might have leaked."""

import base64
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from psycopg2 import sql

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.postgresql import superuser


def traces(text: str, secrets: Iterable[str]) -> list[str]:
    """Which of these secrets are in a text, in plain text or in a form that anybody can decode."""
    return [secret for secret in secrets if any(form in text for form in _forms(secret))]


def _forms(secret: str) -> set[str]:
    data = secret.encode()
    # In base64 a text has three forms, depending on its offset; its middle is constant within each.
    encoded = {base64.b64encode(b"\0" * shift + data)[4:-4].decode() for shift in range(3)}
    return {secret, secret[::-1], quote(secret, safe=""), repr(secret)[1:-1], data.hex(), *encoded}


def everything_in(cluster: PostgresCluster, database: str) -> str:
    """Every row of every table of a database, and its compressed contents: Dagster compresses snapshots and cursors."""
    with superuser(cluster, database) as cursor:
        cursor.execute("select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')")
        rows: list[str] = []
        for schema, table in cursor.fetchall():
            cursor.execute(sql.SQL("select t::text from {} as t").format(sql.Identifier(schema, table)))
            rows += [str(row) for row in cursor.fetchall()]
    text = "\n".join(rows)
    return "\n".join((text, *_unpacked(text)))


def _unpacked(text: str) -> Iterable[str]:
    for match in re.findall(r"\\x([0-9a-f]{16,})", text):
        yield _inflated(bytes.fromhex(match))
    for match in re.findall(r"e[A-Za-z0-9+/]{40,}={0,2}", text):  # zlib in base64; a cursor begins with a zero for its format
        yield _inflated(base64.b64decode(match[: len(match) // 4 * 4]))


def _inflated(data: bytes) -> str:
    try:
        return zlib.decompress(data).decode(errors="replace")
    except (zlib.error, ValueError):
        return ""


def everything_under(folder: Path) -> str:
    """Every file below a folder, with its name."""
    return "\n".join(f"{path}\n{path.read_text(errors='replace')}" for path in folder.rglob("*") if path.is_file())
