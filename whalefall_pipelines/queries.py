"""Loads statements from `sql/` by folder and name. SQL is never written in Python."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent
# In a checkout it is beside the package, in a wheel inside it.
SQL_ROOT = next((root for root in (_PACKAGE / "sql", _PACKAGE.parent / "sql") if root.is_dir()), _PACKAGE / "sql")


@cache
def load(name: str) -> str:
    """Return the text of `sql/<name>.sql`, for example `load("capacity/upsert_database_sizes")`.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    return (SQL_ROOT / f"{name}.sql").read_text(encoding="utf-8")
