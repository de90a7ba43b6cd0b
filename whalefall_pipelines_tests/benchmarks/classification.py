"""Classifying a large fleet: seconds and memory of a process of its own, against the evaluator for one account in a loop, a day on which
nothing changed against evaluating alone, and one changed account of one server.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from uuid import uuid4

from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.classification.evaluate import evaluate
from whalefall_pipelines.classification.facts import AccountFacts, HeldPrivilege, ReachedRole
from whalefall_pipelines.classification.functions import SIGNATURES
from whalefall_pipelines.classification.model import Axis, Classification, Origin, RuleText
from whalefall_pipelines.classification.store.evaluation import evaluate_rules, stage_accounts
from whalefall_pipelines.classification.store.rules import add_classifications, add_version, list_rules
from whalefall_pipelines.classification.tree import parse_expression
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.benchmarks.crowd import peak_mebibytes
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.conftest import TIMEZONE, libpq_url
from whalefall_pipelines_tests.factories import query

INSTANCES, ACCOUNTS, ROLES, RULES = 1000, 200, 20, 50
SAMPLE, ROUNDS = 500, 3
SECONDS, MEBIBYTES, ONE_SERVER_SECONDS = 15, 300, 2
DAY = date(2026, 11, 22)
ENGINES = ("postgresql", "mysql", "sqlserver", "oracle")
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "CREATE", "SUPER", "FILE", "PROCESS", "EXECUTE")
# Every account has five privileges, roles eight; every other account is a member of three roles: 1.6 million facts.
_FLEET = f"""
insert into credentials (name, username) values ('c', 'monitor');
insert into instances (name, engine, host, port, credential_id, created_at)
select 'server ' || i, (array{list(ENGINES)!r})[1 + i % 4], 'h', i, 1, '2020-01-01' from generate_series(1, {INSTANCES}) as i;
insert into instance_accounts (instance_id, account_name, account_kind, first_seen_date)
select i, case when j < {ROLES} then 'role' else 'user' end || j, case when j < {ROLES} then 'role' else 'user' end, '2026-11-01'
from generate_series(1, {INSTANCES}) as i, generate_series(0, {ACCOUNTS - 1}) as j order by i, j;
insert into account_attribute_sets (attributes) values ('{{}}');
insert into account_attributes (account_id, valid_from, account_name, can_login, is_superuser, is_locked, set_id)
select account_id, '2026-11-01', account_name, true, case when account_id % 97 = 0 then null else account_id % 50 = 0 end,
    account_id % 23 = 0, 1 from instance_accounts order by account_id;
insert into account_membership_versions (member_id, role_id, valid_from, inherits, can_set, can_admin, is_default)
select (i - 1) * {ACCOUNTS} + j + 1, (i - 1) * {ACCOUNTS} + (j * 7 + k * 13) % {ROLES} + 1, '2026-11-01', true, true, false, true
from generate_series(1, {INSTANCES}) as i, generate_series({ROLES}, {ACCOUNTS - 1}) as j, generate_series(0, 2) as k;
insert into account_privilege_facts (scope, database_name, privilege, is_grantable, origin, effect)
select case when d = 0 then 'server' else 'database' end, case when d > 0 then 'app' || d end, p, false, 'grant', 'grant'
from generate_series(0, 40) as d, unnest(array{list(PRIVILEGES)!r}) as p;
insert into account_privileges (account_id, fact_id, valid_from)
select a.account_id, 1 + (case when k = 0 then 0 else 10 * (1 + (a.account_id + k) % 40) end) + (a.account_id + k * 3) % 10, '2026-11-01'
from instance_accounts as a, generate_series(0, 7) as k
where k < 5 or a.account_kind = 'role' order by a.account_id on conflict do nothing;
"""


def expression(number: int) -> dict[str, object]:
    """An engine, and a superuser, a role, or a privilege of the server that is not locked away."""
    privilege = {"fn": "has_privilege", "args": {"name": PRIVILEGES[number % 10], "scope": "global"}}
    unlocked = {"op": "AND", "args": [privilege, {"op": "NOT", "args": [{"fn": "is_locked", "args": {}}]}]}
    parts = [{"fn": "is_superuser", "args": {}}, {"fn": "has_role", "args": {"name": f"role{number % ROLES}"}}, unlocked]
    engine = {"fn": "db_type_in", "args": {"types": [ENGINES[number % 4]]}}
    return {"version": 4, "expr": {"op": "AND", "args": [engine, {"op": "OR", "args": parts}]}}


def fill(store: Database) -> None:
    """The fleet and the rules."""
    with store.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        for statement in _FLEET.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        add_classifications(cursor, [Classification("privileged", "Privileged", Axis.POWER, 1)], is_system=True)
        for number in range(RULES):
            rule = RuleText(f"rule {number}", "privileged", ENGINES[number % 4], expression(number))
            add_version(cursor, uuid4(), 1, rule, origin=Origin.PERSON, created_by="benchmark")
    with store.session() as cursor:
        cursor.execute("vacuum analyze")


def facts(number: int) -> AccountFacts:
    """What an account of the fleet knows of itself, without the store."""
    account, name = number + 1, number % ACCOUNTS
    is_role = name < ROLES
    roles = () if is_role else tuple(ReachedRole(f"role{(name * 7 + step * 13) % ROLES}") for step in range(3))
    privileges = tuple(
        HeldPrivilege(
            PRIVILEGES[(account + step * 3) % 10],
            "database" if step else "server",
            f"app{1 + (account + step) % 40}" if step else None,
        )
        for step in range(8 if is_role else 5)
    )
    attributes: dict[str, object] = {"is_superuser": None if account % 97 == 0 else account % 50 == 0, "is_locked": account % 23 == 0}
    return AccountFacts(
        ENGINES[(number // ACCOUNTS + 1) % 4], DAY, f"user{name}", attributes=attributes, roles=roles, privileges=privileges
    )


def loop() -> float:
    """Seconds of the evaluator for all accounts, scaled from a sample. A rule is asked about accounts of its engine alone."""
    trees = [(ENGINES[number % 4], parse_expression(expression(number), SIGNATURES)) for number in range(RULES)]
    sample = [facts(number * (INSTANCES * ACCOUNTS // SAMPLE)) for number in range(SAMPLE)]
    begun = time.monotonic()
    for account in sample:
        for engine, tree in trees:
            if engine == account.engine:
                evaluate(tree, account)
    return (time.monotonic() - begun) * INSTANCES * ACCOUNTS / SAMPLE


def seconds_of_classification(store: Database, instance_ids: Sequence[int] | None = None) -> float:
    """Seconds of an evaluation with its swap."""
    begun = time.monotonic()
    outcome = classify_accounts(store, DAY, instance_ids)
    assert not outcome.problems
    return time.monotonic() - begun


def seconds_of_evaluation(store: Database) -> float:
    """Seconds of evaluating alone."""
    begun = time.monotonic()
    with store.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        rules = list_rules(cursor, active_only=True)
        stage_accounts(cursor, DAY, None)
        assert evaluate_rules(cursor, rules, DAY, lambda: None) == {}
    return time.monotonic() - begun


def _watch(process: "subprocess.Popen[str]", store: Database) -> float:
    """The largest private memory in MiB of the store's backends that serve the process."""
    most = 0.0
    while process.poll() is None:
        with store.transaction() as cursor:
            cursor.execute("select pid from pg_stat_activity where application_name = 'whalefall' and pid <> pg_backend_pid()")
            pids = [int(row[0]) for row in cursor.fetchall()]
        most = max(most, sum(_private_mebibytes(pid) for pid in pids))
        time.sleep(0.1)
    return most


def _private_mebibytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), 0) / 1024


def measure(folder: Path) -> Iterator[Figure]:
    """The figures of a fleet with 200,000 accounts."""
    with embedded_store(folder / "home") as store:
        fill(store)
        (count,) = query(store, "select (select count(*) from account_privileges) + (select count(*) from account_membership_versions)")[0]
        subject = f"{RULES} rules, {INSTANCES * ACCOUNTS} accounts"
        command = [sys.executable, "-m", __name__, libpq_url(store.url)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        backend = _watch(process, store)
        seconds, peak = json.loads(str(process.communicate()[0]))
        detail = f"{count} facts, {query(store, 'select count(*) from account_classification_assignments')[0][0]} assignments"
        yield Figure(f"classify {subject}: seconds", seconds, SECONDS, "s", detail)
        yield Figure(f"classify {subject}: memory", peak + backend, MEBIBYTES, "MiB", f"process {peak:.0f}, its backend {backend:.0f}")
        looped = alternate(lambda: seconds_of_evaluation(store), loop, ROUNDS)
        yield Figure(f"classify {subject}: SQL / loop in Python", looped.ratio, 0.1, "x", str(looped))
        unchanged = alternate(lambda: seconds_of_classification(store), lambda: seconds_of_evaluation(store), ROUNDS)
        yield Figure(f"classify {subject}: nothing changed / evaluation", unchanged.ratio, 1.2, "x", str(unchanged))
        query(store, "update account_attributes set is_superuser = not coalesce(is_superuser, false) where account_id = 1234 returning 1")
        one = seconds_of_classification(store, [1 + 1233 // ACCOUNTS])
        yield Figure("classify one changed account of one server", one, ONE_SERVER_SECONDS, "s", f"{RULES} rules")


def main(url: str) -> None:
    """Classify for the first time; print seconds and the largest resident set in MiB."""
    with closing(Database(parse_url(url), TIMEZONE)) as store:
        print(json.dumps([seconds_of_classification(store), peak_mebibytes()]))


if __name__ == "__main__":
    main(sys.argv[1])
