"""What accounts were expires by its own setting; what they are now never does."""

from datetime import timedelta
from pathlib import Path

from whalefall_pipelines.retention.store.expired_rows import count_ended, delete_ended
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member, privilege
from whalefall_pipelines_tests.factories import DAY, query

APP, ROLE = account("app", "1"), account("role", "2")


def test_versions_that_ended_expire_and_the_present_stays(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(listing(APP, ROLE), facts(member("app", "role"), privilege("app", "SELECT"), privilege("role", "DELETE")))
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ROLE), facts(privilege("role", "DELETE")))
    fleet.sync()
    for _ in range(2):
        fleet.tomorrow()
        fleet.sync()
    present = (fleet.privileges(), fleet.accounts())
    # The day on which they ended is still asked for: nothing of the day before it is.
    assert count_ended(store, "accounts", DAY) == 0
    ended = DAY + timedelta(days=1)
    assert count_ended(store, "accounts", ended) == 4  # attributes, a membership, a privilege, and the observation of the first day
    assert sum(delete_ended(store, "accounts", ended)) == 4
    assert (fleet.privileges(), fleet.accounts()) == present
    assert fleet.memberships(DAY) == set()
    assert query(store, "select min(observed_on) from account_observations") == [(ended,)]
    # The newest observation stays however old it is, because the next reading is compared with it.
    assert count_ended(store, "accounts", fleet.day + timedelta(days=99)) == 2
    list(delete_ended(store, "accounts", fleet.day + timedelta(days=99)))
    assert query(store, "select observed_on from account_observations") == [(fleet.day,)]
    before = fleet.stored_rows()
    fleet.tomorrow()
    fleet.sync()
    assert fleet.stored_rows() == before


def test_an_account_that_comes_back_is_restored_even_if_its_past_has_expired(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(listing(APP, ROLE), facts())
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(ROLE), facts())
    fleet.sync()
    list(delete_ended(store, "accounts", fleet.day))
    fleet.tomorrow()
    fleet.hold(listing(APP, ROLE), facts())
    fleet.sync()
    assert (fleet.day, "app", "restore") in fleet.changes()
