"""A store with nights: sizes, gaps, totals and sessions of days, and the clock of the mornings after them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from whalefall_pipelines.alerts.evaluate import Evaluated, evaluate
from whalefall_pipelines.alerts.settings import AlertSettings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import query, register

FIRST_DAY = date(2026, 11, 2)
GIB = 2**30
Sizes = Mapping[str, Mapping[str, int | None]]


def at(day: date, hour: int = 8) -> datetime:
    """An hour of a day in the time zone of the store."""
    return datetime.combine(day, time(hour), TIMEZONE)


@dataclass
class Nights:
    """A fleet whose days are written one by one. Every server has a limit of 1000 GiB."""

    store: Database
    names: tuple[str, ...]
    day: date = FIRST_DAY
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = {instance.name: instance.instance_id for instance in register(self.store, *self.names)}
        query(self.store, "update instances set capacity_limit_bytes = %s returning 1", 1000 * GIB)

    def night(self, sizes: Sizes, *, forget: str = "") -> None:
        """Write the next day. None is a database that could not be measured; what is left out was not listed."""
        self.day += timedelta(days=1)
        ensure_months(self.store, [self.day])
        rows = [(self.ids[server], name, self.day, size) for server, databases in sizes.items() for name, size in databases.items()]
        with self.store.transaction() as cursor:
            columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
            cursor.execute(
                "insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date) "
                "select i, n, d, 10 * i + row_number() over (partition by i order by n), d "
                "from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[]) as t (i, n, d, b) "
                "where not exists (select 1 from database_activity as a where a.instance_id = i and a.database_name = n)",
                columns,
            )
            cursor.execute(
                "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
                "select i, n, d, b, d + interval '3 hours', 'measured', 'test' "
                "from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[]) as t (i, n, d, b) where b is not null",
                columns,
            )
            cursor.execute(
                "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, was_measurable) "
                "select i, n, d, 'timeout', 'no answer', true "
                "from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[]) as t (i, n, d, b) where b is null",
                columns,
            )
            cursor.execute(
                "insert into instance_size_stats "
                "(instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
                "select i, d, sum(b), count(b), count(*), d + interval '3 hours', 'measured' "
                "from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[]) as t (i, n, d, b) group by i, d having count(b) > 0",
                columns,
            )
            cursor.execute(
                "update database_activity set active_until = %s where database_name = %s and active_until is null", (self.day, forget)
            )
        self.session()

    def session(self, category: str = "capacity", *, is_over: bool = True) -> None:
        """A session of the day, begun at 03:00."""
        identifier = str(uuid4())
        with self.store.transaction() as cursor:
            cursor.execute(
                "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at, alive_at) "
                "values (%s, %s, 'scheduled_task', %s, %s, %s, %s)",
                (identifier, category, self.day, self.day, at(self.day, 3), at(self.day, 3)),
            )
            if is_over:
                cursor.execute(
                    "update sync_sessions set status = 'completed', completed_at = %s where session_id = %s", (at(self.day, 4), identifier)
                )

    def morning(self, hour: int = 8) -> Evaluated:
        """Evaluate on the morning after the night."""
        return evaluate(self.store, AlertSettings.model_validate({}), at(self.day, hour))

    def add_channel(self, name: str = "ops", **columns: object) -> None:
        """A channel that gets everything."""
        values = {"channel_name": name, "kind": "webhook", "url": "env:MONITOR_HOOK", **columns}
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        query(self.store, f"insert into alert_channels ({names}) values ({marks}) returning 1", *values.values())

    def alerts(self) -> list[tuple[object, ...]]:
        """Rule, server, status and severity of every alert."""
        return query(
            self.store,
            "select r.rule_name, i.name, a.status, a.peak_severity from alerts as a join alert_rules as r using (rule_id) "
            "left join instances as i using (instance_id) order by r.rule_id, i.name, a.database_id",
        )

    def messages(self) -> list[tuple[object, ...]]:
        """Kind and subject of every message."""
        return query(self.store, "select kind, subject from alert_outbox order by created_at, subject")
