"""What the pages of the console show besides sizes: tags, limits, forecasts, accounts with privileges, classes, rules and an alert."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from whalefall_pipelines.classification.edit_rules import install_rules
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.benchmarks.aggregation import TODAY
from whalefall_pipelines_tests.benchmarks.history import History

ACCOUNTS = 100
# The days with forecasts: the runway looks at the newest of a week.
_FORECAST_DAYS = 8
_SIZES = """
update instances set
    tags = jsonb_build_object('team', 'team ' || instance_id %% 20),
    capacity_limit_bytes = case when instance_id %% 4 = 0 then %(databases)s * 1100000000::bigint end;
insert into capacity_forecasts (instance_id, database_id, made_on, horizon_days, origin, code_version, model, state, base_bytes,
    point_bytes, lower_80_bytes, upper_80_bytes, known_days, matured, error, skill, candidate_bytes)
select s.instance_id, s.database_id, d.made_on, h.days, 'issued', 1, 'last', 'ok', s.bytes, s.bytes + 100000 * h.days * s.databases,
    s.bytes, s.bytes + 200000 * h.days * s.databases, 365, 100, 0.01, 0.5, array[s.bytes]
from unnest(%(made_on)s::date[]) as d (made_on) cross join (
    select instance_id, database_id, 1000000000::bigint as bytes, 1 as databases from database_activity where active_until is null
    union all
    select instance_id, null, %(databases)s * 1000000000::bigint, %(databases)s from instances
) as s cross join unnest(array[7, 30, 90]) as h (days)
order by d.made_on, s.instance_id, s.database_id;
insert into alerts (rule_id, instance_id, severity, peak_severity, opened_on)
select r.rule_id, i.instance_id, 'warning', 'warning', %(today)s
from alert_rules as r cross join instances as i where r.rule_name = 'vanished' and i.instance_id %% 10 = 0;
update alerts set status = 'open'
"""
# Every tenth account is a role of which the others are members, every hundredth a superuser. Privileges changed a month ago, on one account
# of fifty within the last one.
_ACCOUNTS = """
insert into account_attribute_sets (attributes) values ('{}');
insert into instance_accounts (instance_id, account_name, account_kind, first_seen_date)
select instance_id, 'application_' || n, case when n %% 10 = 0 then 'role' else 'user' end, %(first)s
from instances, generate_series(1, %(accounts)s) as n;
insert into account_attributes (account_id, valid_from, account_name, can_login, is_superuser, is_locked, set_id)
select a.account_id, %(first)s, a.account_name, a.account_kind = 'user', a.account_id %% 100 = 1, false, s.set_id
from instance_accounts as a cross join account_attribute_sets as s;
insert into account_membership_versions (member_id, role_id, valid_from, inherits, can_set, can_admin, is_default)
select account_id, account_id + 9 - (account_id - 1) %% 10, %(first)s, true, true, false, false
from instance_accounts where account_kind = 'user';
insert into account_privilege_facts (scope, database_name, schema_name, object_name, privilege, is_grantable, origin, effect)
select 'table', 'database_1', 'orders', 'table_' || n, 'SELECT', false, 'grant', 'grant' from generate_series(1, 100) as n;
insert into account_privileges (account_id, fact_id, valid_from)
select a.account_id, f.fact_id, case when a.account_id %% 50 = f.fact_id then %(today)s - 7 else %(first)s end
from instance_accounts as a inner join account_privilege_facts as f on f.fact_id between a.account_id %% 90 and a.account_id %% 90 + 4;
insert into account_observations (instance_id, observed_on, observed_at, method, account_count, membership_count, privilege_count,
    unread_count)
select instance_id, d.day, now(), 'fake', %(accounts)s, 0, 0, 0
from instances cross join generate_series(%(first)s::timestamp, %(today)s::timestamp, interval '1 day') as d (day)
"""
_CLASSES = """
insert into account_classification_assignments (account_id, classification_id, rule_id, rule_version, assignment_type, assigned_by,
    valid_from)
select a.account_id, r.classification_id, r.rule_id, r.rule_version, 'auto', 'rules', %(first)s
from instance_accounts as a cross join classification_rules as r
where r.rule_name = case when a.account_id %% 100 = 1 then 'postgresql-superuser' else 'postgresql-read-only' end
"""


def furnish(history: History) -> None:
    """Fill the rest of a store that has sizes and an inventory."""
    made_on = [history.last_day - timedelta(days=count) for count in range(_FORECAST_DAYS)]
    ensure_months(history.store, made_on)
    values = {"databases": history.databases, "accounts": ACCOUNTS, "first": history.first_day, "today": TODAY, "made_on": made_on}
    install_rules(history.store)
    with history.store.transaction(statement_seconds=600) as cursor:
        for statements in (_SIZES, _ACCOUNTS, _CLASSES):
            cursor.execute(statements, values)
    with history.store.session() as cursor:
        cursor.execute("vacuum (analyze)")


def addresses(store: Database, paths: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """An address of each of these pages: its path and its query.."""
    with store.transaction() as cursor:
        cursor.execute("select session_id::text from sync_sessions order by started_at desc limit 1")
        ((session_id,),) = cursor.fetchall()
        cursor.execute("select min(alert_id)::text from alerts")
        ((alert_id,),) = cursor.fetchall()
    queries = {
        "/server": {"name": "target-7"},
        "/database": {"server": "target-7", "name": "database_3"},
        "/missing": {"day": str(TODAY)},
        "/explain": {"server": "target-7", "name": "database_3", "day": str(TODAY - timedelta(days=400))},
        "/session": {"id": session_id},
        "/alert": {"id": alert_id},
        "/access": {"privilege": "SELECT", "object": "orders.table_60", "day": str(TODAY)},
        "/account": {"server": "target-7", "name": "application_7", "day": str(TODAY)},
        "/rule": {"name": "postgresql-superuser"},
    }
    return ((path, queries.get(path, {})) for path in paths)
