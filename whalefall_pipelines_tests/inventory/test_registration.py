"""Plans: the difference between what is requested and what is registered."""

from dataclasses import replace
from datetime import UTC, datetime

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.inventory.registration import (
    Action,
    Change,
    CredentialEntry,
    InstanceEntry,
    Plan,
    RegisteredInstance,
    compare_fleet,
    describe_secret,
)

LOGIN = CredentialEntry("shared", "monitor", "env:SHARED")
ENTRY = InstanceEntry("a", Engine.MYSQL, "h", 3306, "shared", tags={"env": "prod"}, line=3)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def registered(entry: InstanceEntry = ENTRY, *, deleted_at: datetime | None = None) -> RegisteredInstance:
    return RegisteredInstance(
        instance_id=1,
        entry=replace(entry, line=None),
        login=LOGIN,
        is_active=deleted_at is None,
        deactivated_at=deleted_at,
        deleted_at=deleted_at,
        server_version=None,
        last_connected_at=None,
        created_at=NOW,
    )


def plan(*instances: InstanceEntry, login: CredentialEntry = LOGIN, stored: tuple[RegisteredInstance, ...] = (registered(),)) -> Plan:
    return compare_fleet([login], instances, stored_credentials=[LOGIN], stored_instances=stored)


def test_an_unchanged_registration_needs_no_work() -> None:
    assert plan(ENTRY).is_empty


def test_a_change_names_each_field_with_its_old_and_new_text() -> None:
    (planned,) = plan(replace(ENTRY, port=3307, tags={}, capacity_limit_bytes=2**40)).instances
    assert planned.action is Action.CHANGE
    assert planned.changes == (Change("port", "3306", "3307"), Change("tags", "env=prod", None), Change("capacity_limit", None, "1TiB"))


def test_a_removed_instance_is_restored_even_without_a_change() -> None:
    registration = plan(ENTRY, stored=(registered(deleted_at=NOW),))
    assert [(planned.action, planned.changes) for planned in registration.instances] == [(Action.RESTORE, ())]
    assert not registration.is_empty


def test_a_restored_instance_keeps_its_tags_and_limit_unless_it_is_given_others() -> None:
    removed = (registered(replace(ENTRY, capacity_limit_bytes=2**40), deleted_at=NOW),)
    (planned,) = plan(replace(ENTRY, tags={}), stored=removed).instances
    assert (planned.entry.tags, planned.entry.capacity_limit_bytes) == ({"env": "prod"}, 2**40)
    assert (planned.kept, planned.changes) == (("tags env=prod", "capacity_limit 1TiB"), ())
    (planned,) = plan(replace(ENTRY, tags={"env": "test"}, capacity_limit_bytes=2**30), stored=removed).instances
    assert (planned.kept, [change.field for change in planned.changes]) == ((), ["tags", "capacity_limit"])


def test_registered_instances_that_are_not_named_are_counted_and_removed_ones_are_not() -> None:
    others = (registered(replace(ENTRY, name="b")), registered(replace(ENTRY, name="c"), deleted_at=NOW))
    registration = plan(ENTRY, stored=(registered(), *others))
    assert registration.untouched == 1
    assert [credential.other_users for credential in registration.credentials] == [("b",)]


def test_a_secret_that_is_left_out_stays_with_its_user_name_only() -> None:
    (kept,) = plan(ENTRY, login=CredentialEntry("shared", "monitor")).credentials
    assert (kept.action, kept.entry.secret) == (Action.UNCHANGED, "env:SHARED")
    (changed,) = plan(ENTRY, login=CredentialEntry("shared", "other")).credentials
    assert (changed.entry.secret, changed.changes) == (None, (Change("username", "monitor", "other"), Change("secret", "env:SHARED", None)))


def test_only_the_kind_of_a_ciphertext_is_shown() -> None:
    (changed,) = plan(ENTRY, login=CredentialEntry("shared", "monitor", "encrypted:token")).credentials
    assert changed.changes == (Change("secret", "env:SHARED", "encrypted"),)
    assert describe_secret("file:/x") == "file:/x"
    assert "token" not in repr(changed)
