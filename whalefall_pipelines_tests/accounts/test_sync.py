"""The accounts of one instance: what is stored for every way in which a server and its accounts can change."""

from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.accounts.store.reports import summarize_day
from whalefall_pipelines.domain.accounts import AccountKind, AccountReach, Scope, UnreadScope
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import RecordStatus, SessionStatus
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member, privilege
from whalefall_pipelines_tests.factories import DAY, query
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES

ADMIN, APP, ROLE = account("admin", "1", is_superuser=True), account("app", "2"), account("writers", "3", AccountKind.ROLE)


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> AccountsTest:
    scene = AccountsTest(store, tmp_path)
    scene.hold(listing(ADMIN, APP, ROLE), facts(member("app", "writers"), privilege("writers", "INSERT"), privilege("admin", "OWNER")))
    return scene


def test_a_first_reading_is_stored_and_is_no_change(fleet: AccountsTest) -> None:
    outcome = fleet.sync()["a"]
    assert (outcome.accounts, set(outcome.created)) == (3, {"admin", "app", "writers"})
    assert fleet.accounts() == {"admin": True, "app": True, "writers": True}
    assert fleet.memberships() == {("app", "writers")}
    assert fleet.privileges() == {("writers", "INSERT", "invoices"), ("admin", "OWNER", "invoices")}
    assert fleet.changes() == set()
    observed = query(fleet.store, "select observed_on, method, account_count, membership_count, privilege_count from account_observations")
    assert observed == [(DAY, "fake", 3, 1, 2)]


def test_an_unchanged_day_costs_one_row_and_rewrites_nothing(fleet: AccountsTest) -> None:
    fleet.sync()
    before = fleet.stored_rows()
    fleet.tomorrow()
    fleet.sync()
    assert fleet.stored_rows() == before
    assert query(fleet.store, "select count(*) from account_observations") == [(2,)]


def test_a_compared_day_without_a_difference_rewrites_nothing(fleet: AccountsTest) -> None:
    fleet.sync()
    before = fleet.stored_rows()
    query(fleet.store, "update account_observations set facts_digest = null returning 1")
    fleet.tomorrow()
    fleet.sync()
    assert fleet.stored_rows() == before


def test_what_is_granted_and_revoked_is_known_for_every_day(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, APP, ROLE), facts(privilege("app", "SELECT"), privilege("admin", "OWNER")))
    outcome = fleet.sync()["a"]
    assert (outcome.opened["privileges"], outcome.closed["privileges"], outcome.closed["memberships"]) == (1, 1, 1)
    assert fleet.privileges(DAY) == {("writers", "INSERT", "invoices"), ("admin", "OWNER", "invoices")}
    assert fleet.privileges() == {("app", "SELECT", "invoices"), ("admin", "OWNER", "invoices")}
    assert (fleet.memberships(DAY), fleet.memberships()) == ({("app", "writers")}, set())
    assert fleet.changes() == {(fleet.day, "app", "modify_privilege"), (fleet.day, "writers", "modify_privilege")}


def test_an_account_that_is_dropped_and_comes_back(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, ROLE), facts())
    assert fleet.sync()["a"].gone == ("app",)
    assert fleet.accounts()["app"] is False
    assert query(fleet.store, "select last_seen_date from instance_accounts where account_name = 'app'") == [(DAY,)]
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, APP, ROLE), facts())
    fleet.sync()
    kinds = {(day, kind) for day, name, kind in fleet.changes() if name == "app"}
    assert kinds == {
        (DAY + timedelta(days=1), "delete"),
        (DAY + timedelta(days=1), "modify_privilege"),
        (DAY + timedelta(days=2), "restore"),
    }
    assert query(fleet.store, "select count(*) from instance_accounts") == [(3,)]


def test_a_new_account_under_an_old_name_is_another_account(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, account("app", "99"), ROLE), facts(privilege("app", "DELETE")))
    outcome = fleet.sync()["a"]
    assert (outcome.created, outcome.gone) == (("app",), ("app",))
    rows = query(fleet.store, "select native_id, is_active from instance_accounts where account_name = 'app' order by account_id")
    assert rows == [("2", False), ("99", True)]
    assert {kind for _, name, kind in fleet.changes() if name == "app"} == {"delete", "add", "modify_privilege"}


def test_two_accounts_that_exchange_their_names_keep_their_privileges(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(
        listing(ADMIN, account("app", "3"), account("writers", "2")),
        facts(member("writers", "app"), privilege("app", "INSERT"), privilege("admin", "OWNER")),
    )
    fleet.sync()
    assert query(fleet.store, "select native_id, account_name from instance_accounts order by 1") == [
        ("1", "admin"),
        ("2", "writers"),
        ("3", "app"),
    ]
    assert {kind for _, _, kind in fleet.changes()} == {"modify_other"}


def test_a_renamed_account_that_takes_the_name_of_a_dropped_one(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, account("app", "3")), facts())
    fleet.sync()
    rows = query(fleet.store, "select native_id, account_name, is_active from instance_accounts order by 1")
    assert rows == [("1", "admin", True), ("2", "app", False), ("3", "app", True)]


def test_changed_attributes_are_a_version(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, account("app", "2", is_superuser=True), ROLE), fleet.servers["a"].account_privileges)
    fleet.sync()
    rows = query(
        fleet.store, "select is_superuser, valid_from, valid_until from account_attribute_versions where account_name = 'app' order by 2"
    )
    assert rows == [(False, DAY, fleet.day), (True, fleet.day, None)]
    assert fleet.changes() == {(fleet.day, "app", "modify_other")}


def test_a_second_reading_of_a_day_replaces_the_first(fleet: AccountsTest) -> None:
    fleet.sync()
    before = {row[2] for row in fleet.stored_rows()}
    same = fleet.servers["a"].account_privileges
    fleet.tomorrow()
    for accounts, privileges in (
        (listing(ADMIN, account("app", "2", is_superuser=True)), facts(privilege("app", "SELECT"))),
        (listing(ADMIN, account("app", "2", is_locked=True), ROLE), facts(privilege("app", "DELETE"))),
        (listing(ADMIN, APP, ROLE), same),
    ):
        fleet.hold(accounts, privileges)
        fleet.sync()
    assert {row[2] for row in fleet.stored_rows()} == before
    assert fleet.changes() == set()


def test_an_unread_database_is_a_gap_and_closes_nothing_of_it(fleet: AccountsTest) -> None:
    other = privilege("app", "SELECT", "people", database="crm")
    fleet.hold(listing(ADMIN, APP, ROLE), facts(privilege("app", "SELECT"), other))
    fleet.sync()
    fleet.tomorrow()
    gap = UnreadScope(Reason.NO_PERMISSION, "no CONNECT", database_name="crm", cure='GRANT CONNECT ON DATABASE "crm" TO monitor;')
    fleet.hold(listing(ADMIN, APP, ROLE), facts(AccountReach("app", "crm", 2, 1, 0), unread=[gap]))
    outcome = fleet.sync()["a"]
    assert fleet.privileges() == {("app", "SELECT", "people")}
    assert outcome.unread == (gap,)
    assert query(fleet.store, "select database_name, reason, cure, valid_from from account_gaps") == [
        ("crm", "no_permission", gap.cure, fleet.day)
    ]
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, APP, ROLE), facts(other, privilege("admin", "SELECT", "people", database="crm")))
    fleet.sync()
    assert query(fleet.store, "select valid_until from account_gaps") == [(fleet.day,)]
    # What the database had all along while nobody could read it was not granted today.
    assert not {name for day, name, _ in fleet.changes() if day == fleet.day} & {"admin"}


def test_unread_memberships_close_no_membership(fleet: AccountsTest) -> None:
    fleet.sync()
    fleet.tomorrow()
    gap = UnreadScope(Reason.NO_PERMISSION, "roles are unreadable", scope=Scope.MEMBERSHIP)
    fleet.hold(listing(ADMIN, APP, ROLE), facts(unread=[gap]))
    fleet.sync()
    assert (fleet.memberships(), fleet.privileges()) == ({("app", "writers")}, set())


def test_an_empty_listing_is_refused(fleet: AccountsTest) -> None:
    fleet.sync()
    before = fleet.stored_rows()
    fleet.tomorrow()
    fleet.hold(listing(), facts())
    session_id, outcomes = fleet.sync_in_session()
    assert outcomes["a"].error
    assert fleet.stored_rows() == before
    (record,) = sessions.list_records(fleet.store, session_id)
    assert (record.status, record.sync_details["reason"]) == (RecordStatus.FAILED, "empty_result")


def test_a_suddenly_tiny_listing_ends_accounts_only_when_a_later_day_confirms_it(fleet: AccountsTest) -> None:
    people = [account(f"person{number}", str(number)) for number in range(10, 16)]
    fleet.hold(listing(*people), facts(*(privilege(person.account_name, "SELECT") for person in people)))
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(*people[:2]), facts(*(privilege(person.account_name, "SELECT") for person in people[:2])))
    outcome = fleet.sync()["a"]
    assert (len(outcome.kept), outcome.gone) == (4, ())
    assert len(fleet.privileges()) == 6
    assert query(fleet.store, "select count(*) from account_gaps where valid_until is null and account_id is not null") == [(4,)]
    fleet.sync()
    assert len(fleet.privileges()) == 6
    fleet.tomorrow()
    assert len(fleet.sync()["a"].gone) == 4
    assert len(fleet.privileges()) == 2


def test_phase_two_fails_so_phase_one_is_undone(fleet: AccountsTest) -> None:
    """The first defect of section 1 of the seed: the inventory stayed changed although the permissions had failed."""
    fleet.sync()
    before = fleet.stored_rows()
    fleet.tomorrow()
    fleet.hold(listing(ADMIN, account("intruder", "66")), facts())
    fleet.servers["a"].privileges_refusal = SizesError("the server went away between the phases", reason=Reason.SERVER_ERROR)
    session_id, outcomes = fleet.sync_in_session()
    assert outcomes["a"].error
    assert fleet.stored_rows() == before
    assert query(fleet.store, "select observed_on from account_observations") == [(DAY,)]
    (record,) = sessions.list_records(fleet.store, session_id)
    assert (record.status, record.sync_details) == (RecordStatus.FAILED, {"reason": "server_error"})


def test_the_store_refuses_phase_two_so_phase_one_is_undone(fleet: AccountsTest) -> None:
    fleet.sync()
    before = fleet.stored_rows()
    fleet.tomorrow()
    impossible = privilege("intruder", "SELECT")._replace(origin="stolen")
    fleet.hold(listing(ADMIN, account("intruder", "66")), facts(impossible))
    assert fleet.sync()["a"].error
    assert fleet.stored_rows() == before


def test_any_exception_fails_the_record_which_never_stays_running(fleet: AccountsTest) -> None:
    """The second defect of section 1 of the seed: an unexpected exception left the record running for ever."""

    def explode(_server: object) -> None:
        raise RuntimeError("nobody expected this")

    fleet.servers["a"].on_probe = explode
    session_id, outcomes = fleet.sync_in_session()
    assert "nobody expected this" in str(outcomes["a"].error)
    (record,) = sessions.list_records(fleet.store, session_id)
    assert (record.status, record.error_code) == (RecordStatus.FAILED, "INTERNAL_ERROR")
    assert sessions.get_session(fleet.store, session_id).status is SessionStatus.FAILED


def test_a_login_that_may_read_nothing_is_a_gap_with_its_cure_and_nothing_is_closed(fleet: AccountsTest) -> None:
    fleet.sync()
    before = fleet.stored_rows()
    fleet.tomorrow()
    fleet.servers["a"].refusal = SizesError("GRANT SELECT (Host, User) ON mysql.user TO monitor;", reason=Reason.NO_PERMISSION)
    assert fleet.sync()["a"].error
    assert [row for row in fleet.stored_rows() if row[0] != "account_gaps"] == before
    assert query(fleet.store, "select scope, reason, cure like 'GRANT%%' from account_gaps") == [("account", "no_permission", True)]
    fleet.servers["a"].refusal = None
    fleet.sync()
    assert query(fleet.store, "select count(*) from account_gaps") == [(0,)]


def test_a_day_before_the_newest_observation_is_not_written(fleet: AccountsTest) -> None:
    fleet.day, fleet.now = DAY + timedelta(days=1), fleet.now + timedelta(hours=21, minutes=30)  # half an hour after midnight
    fleet.sync()
    fleet.day = DAY
    assert "can no longer be written" in str(fleet.sync()["a"].error)


def test_names_are_stored_as_the_server_spells_them(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    names = [*HOSTILE_NAMES, "''@'localhost'", "app@%", "n" * 64]
    fleet.hold(listing(*(account(name) for name in names)), facts(*(privilege(name, "SELECT", name) for name in names)))
    fleet.sync()
    assert set(fleet.accounts()) == set(names)
    assert fleet.privileges() == {(name, "SELECT", name) for name in names}


def test_ten_thousand_grants_on_one_account(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(listing(APP), facts(*(privilege("app", "SELECT", f"t{number}") for number in range(10_000))))
    assert fleet.sync()["a"].opened["privileges"] == 10_000
    fleet.tomorrow()
    fleet.hold(listing(APP), facts(*(privilege("app", "SELECT", f"t{number}") for number in range(1, 10_000))))
    assert fleet.sync()["a"].closed["privileges"] == 1


def test_reading_accounts_reaches_the_server(fleet: AccountsTest) -> None:
    fleet.sync()
    assert query(fleet.store, "select last_connected_at, server_version is not null from instances") == [(fleet.now, True)]


def test_accounts_that_a_filter_names_are_the_servers_own_and_are_counted(fleet: AccountsTest) -> None:
    fleet.hold(listing(ADMIN, APP, account("rdsadmin", "7"), account("rds_iam", "8")), facts(privilege("rdsadmin", "OWNER")))
    fleet.sync()
    rows = query(fleet.store, "select account_name from instance_accounts where is_built_in order by 1")
    assert rows == [("rds_iam",), ("rdsadmin",)]
    assert ("rdsadmin", "OWNER", "invoices") in fleet.privileges()
    assert summarize_day(fleet.store, fleet.day).built_in == 2


def test_accounts_that_were_dropped_between_the_phases_have_no_facts(fleet: AccountsTest) -> None:
    fleet.hold(listing(ADMIN), facts(privilege("gone", "SELECT"), member("gone", "admin")))
    assert fleet.sync()["a"].error is None
    assert (fleet.privileges(), fleet.memberships()) == (set(), set())
