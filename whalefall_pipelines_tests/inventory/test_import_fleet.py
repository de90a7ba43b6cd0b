"""Importing a file of servers: first a plan, then all of it or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import InputError, NotFoundError, WhalefallError
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.inventory.fleet_entries import FleetEntries
from whalefall_pipelines.inventory.register_instances import carry_out, plan_fleet, read_fleet_file
from whalefall_pipelines.inventory.registration import Plan
from whalefall_pipelines.inventory.switch_instances import disable, remove_instances
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.inventory.test_add_instance import add


def at(home: Path) -> Settings:
    return load_settings({"WHALEFALL_HOME": str(home), "WHALEFALL_SECRET_FOLDERS": "/run/allowed"})


def actions(plan: Plan) -> dict[str, str]:
    return {planned.entry.name: str(planned.action) for planned in plan.instances}


def write(folder: Path, text: str, name: str = "fleet.yaml") -> FleetEntries:
    (folder / name).write_text(text, encoding="utf-8")
    return read_fleet_file(folder / name, at(folder))


def bring_in(store: Database, entries: FleetEntries) -> dict[str, str]:
    plan = plan_fleet(store, entries)
    carry_out(store, entries, plan)
    return actions(plan)


def test_importing_again_changes_nothing(store: Database, tmp_path: Path) -> None:
    entries = write(
        tmp_path,
        "defaults: {engine: mysql, credential: c}\n"
        "credentials: [{name: c, username: u, secret: env:MONITOR_X}]\n"
        "instances:\n- {name: b, host: b}\n- {name: a, host: a, tags: {env: x}, capacity_limit: 2TB}\n",
    )
    assert bring_in(store, entries) == {"b": "add", "a": "add"}
    before = query(store, "select * from instances order by 1"), query(store, "select * from credentials")
    assert [row[1] for row in before[0]] == ["b", "a"]
    plan = plan_fleet(store, entries)
    assert (plan.is_empty, plan.untouched) == (True, 0)
    carry_out(store, entries, plan)
    assert (query(store, "select * from instances order by 1"), query(store, "select * from credentials")) == before


def test_importing_adds_changes_restores_and_leaves_the_rest(store: Database, tmp_path: Path) -> None:
    for name in ("same", "moved", "removed", "disabled", "other"):
        add(store, tmp_path, name)
    remove_instances(store, ["removed"])
    disable(store, ["disabled"])
    rows = "".join(
        f"{name},postgresql,{host},u,env=prod\n"
        for name, host in (("same", "same"), ("moved", "new"), ("removed", "removed"), ("disabled", "new"), ("fresh", "fresh"))
    )
    entries = write(tmp_path, f"\ufeffname,engine,host,username,tags\n{rows}", "fleet.csv")
    plan = plan_fleet(store, entries)
    assert plan.untouched == 1
    assert bring_in(store, entries) == {"same": "unchanged", "moved": "change", "removed": "restore", "disabled": "change", "fresh": "add"}
    assert {(registered.entry.name, registered.entry.host, registered.is_active) for registered in registered_instances(store)} == {
        ("same", "same", True),
        ("moved", "new", True),
        ("removed", "removed", True),
        ("disabled", "new", False),
        ("other", "other", True),
        ("fresh", "fresh", True),
    }


def test_a_file_with_bad_rows_reports_all_of_them_and_writes_nothing(store: Database, tmp_path: Path) -> None:
    entries = write(
        tmp_path,
        "- {name: fine, engine: mysql, host: h, username: u}\n"
        "- {name: a, engine: mysql, host: h, credential: nobody}\n"
        "- {name: b, engine: access, host: h, username: u}\n",
    )
    with pytest.raises(InputError, match=r"(?s)line 2: .*'nobody'.*line 3: .*'b' has an unknown engine"):
        plan_fleet(store, entries)
    with pytest.raises(InputError):
        carry_out(store, entries, Plan((), (), 0))
    assert query(store, "select count(*) from instances") == [(0,)]


def test_a_failing_write_leaves_nothing_of_the_file(store: Database, tmp_path: Path) -> None:
    entries = write(tmp_path, "- {name: a, engine: mysql, host: h, username: u}\n- {name: b, engine: mysql, host: i, username: u}\n")
    broken = replace(entries, instances=(entries.instances[0], replace(entries.instances[1], port=0)))
    with pytest.raises(WhalefallError, match="23514"):
        carry_out(store, broken, plan_fleet(store, broken))
    assert query(store, "select (select count(*) from instances), (select count(*) from credentials)") == [(0, 0)]


def test_a_plan_that_is_out_of_date_is_not_carried_out(store: Database, tmp_path: Path) -> None:
    entries = write(tmp_path, "- {name: a, engine: mysql, host: h, username: u}\n")
    plan = plan_fleet(store, entries)
    add(store, tmp_path, "a")
    with pytest.raises(InputError, match="changed after"):
        carry_out(store, entries, plan)
    assert [instance.engine for instance in active_instances(store)] == [Engine.POSTGRESQL]


def test_a_thousand_instances_take_a_handful_of_statements(store: Database, tmp_path: Path) -> None:
    rows = "".join(f"n{number},postgresql,h{number},u{number},env:MONITOR_SECRET_{number},team=t{number}\n" for number in range(1000))
    entries = write(tmp_path, f"name,engine,host,username,secret,tags\n{rows}", "fleet.csv")
    plan = plan_fleet(store, entries)
    with store.transaction() as cursor:
        # A statement trigger fires once per statement, however many rows it writes: an exact count of writing statements.
        cursor.execute(
            "create table writes (table_name text);"
            "create function count_write() returns trigger language plpgsql as "
            "$$ begin insert into writes values (tg_table_name); return null; end $$;"
            "create trigger counted after insert or update on instances for each statement execute function count_write();"
            "create trigger counted after insert or update on credentials for each statement execute function count_write();"
        )
    carry_out(store, entries, plan)
    assert query(store, "select count(*) from instances") == [(1000,)]
    # INSERT … ON CONFLICT fires the triggers of the insert and of the update: two per statement.
    assert query(store, "select table_name, count(*) from writes group by 1 order by 1") == [("credentials", 2), ("instances", 2)]
    assert plan_fleet(store, entries).is_empty


@pytest.mark.parametrize("name", ["fleet.txt", "fleet", "fleet.json"])
def test_the_name_of_a_file_decides_how_it_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"must end in \.yaml or \.csv"):
        read_fleet_file(tmp_path / name, at(tmp_path))


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file '.*gone\.yaml'"):
        read_fleet_file(tmp_path / "gone.yaml", at(tmp_path))
    (tmp_path / "latin.CSV").write_bytes("name\nä".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_fleet_file(tmp_path / "latin.CSV", at(tmp_path))
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        read_fleet_file(tmp_path / "folder.yml", at(tmp_path))


def test_every_login_whose_secret_is_out_of_bounds_is_refused_with_its_line(tmp_path: Path) -> None:
    entries = write(
        tmp_path,
        "- {name: a, engine: mysql, host: h, username: u, secret: env:WHALEFALL_SECRET_KEY}\n"
        "- {name: b, engine: mysql, host: h, username: u, secret: env:PATH}\n"
        "- {name: c, engine: mysql, host: h, username: u, secret: file:/etc/shadow}\n"
        "- {name: d, engine: mysql, host: h, username: u, secret: file:/run/allowed/../../etc/shadow}\n"
        "- {name: e, engine: mysql, host: h, username: u, secret: env:MONITOR_X}\n"
        "- {name: f, engine: mysql, host: h, username: u, secret: file:/run/allowed/f}\n",
    )
    assert [problem.line for problem in entries.problems] == [1, 2, 3, 4]
    for problem, setting in zip(entries.problems, ("VARIABLES", "VARIABLES", "FOLDERS", "FOLDERS"), strict=True):
        assert f"WHALEFALL_SECRET_{setting}" in problem.sentence
        assert "shadow" not in problem.sentence
