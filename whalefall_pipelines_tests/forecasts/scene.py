"""A store with servers whose databases have generated sizes."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from whalefall_pipelines.simulator.series import GeneratedFleet, generate
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.factories import register

LAST_DAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Scene:
    """The databases `db_000`, `db_001`, … are spread over the servers in turn; the last column of the fleet is `LAST_DAY`."""

    store: Database
    fleet: GeneratedFleet
    instance_ids: tuple[int, ...]

    def day(self, column: int) -> date:
        return self.fleet.first_day + timedelta(days=column)

    def write(self, first_column: int, last_column: int) -> None:
        """Store the measured sizes of these days, and totals of the complete ones."""
        days = [self.day(column) for column in range(first_column, last_column + 1)]
        ensure_months(self.store, days)
        rows = [
            (self.instance_ids[number % len(self.instance_ids)], f"db_{number:03}", self.day(column), int(size))
            for number, sizes in enumerate(self.fleet.sizes)
            for column, size in enumerate(sizes[first_column : last_column + 1], first_column)
            if not np.isnan(size)
        ]
        with self.store.transaction() as cursor:
            cursor.execute(
                "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
                "select i, n, d, b, d + interval '3 hours', 'measured', 'test' "
                "from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[]) as t (i, n, d, b) on conflict do nothing",
                [list(column) for column in zip(*rows, strict=True)],
            )
            cursor.execute(
                "insert into instance_size_stats "
                "(instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
                "select s.instance_id, stat_date, sum(total_bytes), count(*), "
                "(select count(*) from database_activity as a where a.instance_id = s.instance_id and a.active_from <= stat_date), "
                "stat_date + interval '3 hours', 'measured' from database_size_stats as s group by s.instance_id, stat_date "
                "on conflict do nothing"
            )


def build_scene(store: Database, *, servers: int, databases: int, days: int, seed: int = 3, last_day: date = LAST_DAY) -> Scene:
    """Register the servers and the inventory of a generated fleet; `write` stores its days."""
    fleet = generate(databases, days, seed=seed, birth_before=days - 1, first_day=last_day - timedelta(days=days - 1))
    instances = register(store, *(f"server_{number}" for number in range(servers)))
    ids = tuple(instance.instance_id for instance in instances)
    scene = Scene(store, fleet, ids)
    with store.transaction() as cursor:
        for number, sizes in enumerate(fleet.true):
            born = scene.day(int((~np.isnan(sizes)).argmax()))
            cursor.execute(
                "insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date) "
                "values (%s, %s, %s, %s, %s)",
                (ids[number % servers], f"db_{number:03}", born, number + 1, born),
            )
    return scene
