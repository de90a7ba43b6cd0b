"""Writes an observation of the accounts of one instance: what is staged is compared with the open versions by one statement each."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.accounts.snapshot import KnownAccount
from whalefall_pipelines.domain.accounts import Account, AccountPrivileges
from whalefall_pipelines.store.copy_text import Lines, text
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class Observed:
    """The newest observation of an instance. `facts_digest` is None if the listing was not taken over as it was."""

    observed_on: date
    facts_digest: UUID | None


@dataclass(frozen=True, slots=True)
class Gap:
    """One row of `account_gaps`; domain.md section 8 and `UnreadScope` have the meaning. With `account_id` it is about one account."""

    reason: str
    detail: str
    scope: str | None = None
    database_name: str | None = None
    attribute: str | None = None
    cure: str | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One row of `account_observations`."""

    observed_at: datetime
    method: str
    account_count: int
    membership_count: int
    privilege_count: int
    unread_count: int
    facts_digest: UUID | None
    session_id: UUID | None


def find_last_observation(cursor: Cursor, instance_id: int) -> Observed | None:
    """The newest observation of an instance; None if there is none."""
    cursor.execute(queries.load("accounts/find_last_observation"), {"instance_id": instance_id})
    return next(iter(fetch_as(cursor, Observed)), None)


def list_known_accounts(cursor: Cursor, instance_id: int) -> tuple[KnownAccount, ...]:
    """The accounts that are known of an instance, one for each name."""
    cursor.execute(queries.load("accounts/list_known_accounts"), {"instance_id": instance_id})
    return fetch_as(cursor, KnownAccount)


def write_accounts(
    cursor: Cursor,
    instance_id: int,
    day: date,
    accounts: Iterable[tuple[int | None, Account]],
    *,
    ended: Sequence[int],
    held: Sequence[int],
    renamed: Sequence[int],
    last_day: date | None,
) -> None:
    """Write who exists. Each account comes with its id, which is None for a new one."""
    cursor.execute(queries.load("accounts/create_staging"))
    cursor.copy_from(Lines(_account_line(account_id, account) for account_id, account in accounts), "staged_accounts", size=1 << 20)
    if ended or held:
        parameters = {"ended": list(ended), "held": list(held), "day": day, "last_day": last_day}
        cursor.execute(queries.load("accounts/end_accounts"), parameters)
    if renamed:
        cursor.execute(queries.load("accounts/set_names_aside"), {"renamed": list(renamed)})
    cursor.execute(queries.load("accounts/continue_accounts"))
    cursor.execute(queries.load("accounts/add_accounts"), {"instance_id": instance_id, "day": day})


def write_facts(
    cursor: Cursor,
    instance_id: int,
    day: date,
    facts: AccountPrivileges,
    gaps: Iterable[Gap],
    *,
    held: Sequence[int],
) -> dict[str, tuple[int, int]]:
    """Write what the accounts are and may do, after `write_accounts`. Nothing that a gap covers is closed.

    Returns the numbers of opened and closed versions of attributes, memberships, privileges and reaches.
    """
    cursor.copy_from(Lines(map(_line, facts.memberships)), "staged_memberships", size=1 << 20)
    numbers: dict[tuple[object, ...], int] = {}
    who = Lines(f"{text(fact.account_name)}\t{numbers.setdefault(fact[1:], len(numbers))}\n" for fact in facts.privileges)
    cursor.copy_from(who, "staged_privileges", size=1 << 20)
    cursor.copy_from(Lines(_line((number, *fact)) for fact, number in numbers.items()), "staged_facts", size=1 << 20)
    cursor.copy_from(Lines(map(_line, facts.reaches)), "staged_reaches", size=1 << 20)
    write_gaps(cursor, instance_id, day, gaps)
    cursor.execute(queries.load("accounts/analyze_staging"))
    cursor.execute(queries.load("accounts/intern_attributes"))
    cursor.execute(queries.load("accounts/intern_facts"))
    return {kind: _write(cursor, kind, instance_id, day, held) for kind in ("attributes", "memberships", "privileges", "reaches")}


def write_gaps(cursor: Cursor, instance_id: int, day: date, gaps: Iterable[Gap]) -> None:
    """Write what could not be read on this day."""
    cursor.execute(queries.load("accounts/create_staging"))
    lines = (
        _line((gap.account_id, gap.scope, gap.database_name, gap.attribute, gap.reason, gap.detail, gap.cure))
        for gap in dict.fromkeys(gaps)
    )
    cursor.copy_from(Lines(lines), "staged_gaps", size=1 << 20)
    _write(cursor, "gaps", instance_id, day, ())


def write_observation(cursor: Cursor, instance_id: int, day: date, observation: Observation) -> None:
    """Record that the accounts of an instance were read on a day."""
    cursor.execute(
        queries.load("accounts/upsert_observation"),
        {
            "instance_id": instance_id,
            "day": day,
            "observed_at": observation.observed_at,
            "method": observation.method,
            "account_count": observation.account_count,
            "membership_count": observation.membership_count,
            "privilege_count": observation.privilege_count,
            "unread_count": observation.unread_count,
            "facts_digest": str(observation.facts_digest) if observation.facts_digest else None,
            "session_id": str(observation.session_id) if observation.session_id else None,
        },
    )


def _write(cursor: Cursor, kind: str, instance_id: int, day: date, held: Sequence[int]) -> tuple[int, int]:
    parameters = {"instance_id": instance_id, "day": day, "held": list(held)}
    cursor.execute(queries.load(f"accounts/close_{kind}"), parameters)
    (closed,) = cursor.fetchone() or (0,)
    cursor.execute(queries.load(f"accounts/open_{kind}"), parameters)
    (opened,) = cursor.fetchone() or (0,)
    return opened, closed


def _account_line(account_id: int | None, account: Account) -> str:
    attributes = account.attributes
    others = {name: value for name, value in attributes.others.items() if name not in {"user", "host"}}
    return _line(
        (
            account_id,
            account.account_name,
            account.native_id,
            account.account_kind,
            account.is_built_in,
            account.is_everyone,
            account.database_name,
            account.last_login_at,
            attributes.can_login,
            attributes.is_superuser,
            attributes.is_locked,
            attributes.is_password_expired,
            attributes.has_empty_password,
            attributes.password_changed_at,
            attributes.password_expires_at,
            attributes.authentication,
            attributes.others.get("user"),
            attributes.others.get("host"),
            json.dumps(others, sort_keys=True, ensure_ascii=False),
        )
    )


def _line(values: Iterable[object]) -> str:
    """A row in the text format of COPY; None is NULL."""
    return "\t".join("\\N" if value is None else text(value) if isinstance(value, str) else str(value) for value in values) + "\n"
