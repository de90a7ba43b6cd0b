"""Finds who has a privilege on any day: one recursive statement for each family of engines."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.accounts.paths import StepRow, Target
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as


def find_targets(database: Database, path: Sequence[str], day: date, names: Sequence[str]) -> tuple[Target, ...]:
    """The objects of this name on these instances, or on all."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/find_targets"), {"day": day, "names": list(names) or None, "path": list(path)})
        return fetch_as(cursor, Target)


def find_steps(database: Database, privilege: str, targets: Sequence[Target], day: date) -> tuple[StepRow, ...]:
    """The steps of every account that has the privilege on one of the targets, or can become somebody who has it."""
    by_engine: defaultdict[str, list[Target]] = defaultdict(list)
    for target in targets:
        by_engine[target.engine].append(target)
    rows: list[StepRow] = []
    with database.transaction() as cursor:
        for engine, group in by_engine.items():
            cursor.execute(
                queries.load(f"accounts/who_can_{engine}"),
                {
                    "day": day,
                    "privilege": privilege,
                    "instance_ids": [target.instance_id for target in group],
                    "database_names": [target.database_name for target in group],
                    "schema_names": [target.schema_name for target in group],
                    "object_names": [target.object_name for target in group],
                },
            )
            rows += fetch_as(cursor, StepRow)
    return tuple(rows)
