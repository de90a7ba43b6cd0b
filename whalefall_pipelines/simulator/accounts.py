"""Accounts of simulated servers and what they may do. On the last day some have more than on the day before."""

import numpy as np

from whalefall_pipelines.domain.accounts import (
    Account,
    AccountAttributes,
    AccountKind,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    Origin,
    Scope,
)
from whalefall_pipelines.simulator.model import HOSTILE_NAMES, SimulatedServer, Simulation

_ROLES = ("reader", "writer", "owner")
_PRIVILEGES = {"reader": ("SELECT",), "writer": ("SELECT", "INSERT", "UPDATE", "DELETE"), "owner": ("SELECT", "TRUNCATE", "REFERENCES")}
_USERS = ("app", "etl", "report", "backup", "alice", "bob", "carol", "dave")


def simulate_accounts(simulation: Simulation, server: SimulatedServer, *, is_last_day: bool) -> tuple[AccountListing, AccountPrivileges]:
    """The accounts of a server, and their memberships and privileges."""
    number = int(server.name.rpartition("-")[2])
    dice = simulation.dice(5, number)
    users = [name for name in _USERS if dice.random() < 0.7] + ([HOSTILE_NAMES[number % len(HOSTILE_NAMES)]] if number % 10 == 0 else [])
    is_promoted = dice.random(len(users)) < 0.02  # by the last day
    accounts = [Account(role, AccountKind.ROLE, attributes=AccountAttributes(can_login=False)) for role in _ROLES]
    for user, promoted in zip(users, is_promoted, strict=True):
        attributes = AccountAttributes(can_login=True, is_superuser=bool(promoted) and is_last_day, is_locked=False)
        accounts.append(Account(user, AccountKind.USER, attributes=attributes))
    memberships = [_membership(user, _ROLES[int(dice.integers(len(_ROLES)))]) for user in users]
    memberships += [_membership(user, "owner") for user in users if _changes(dice) and is_last_day]
    unique = {(each.member_name, each.role_name): each for each in memberships}
    privileges = [
        AccountPrivilege(role, Scope.DATABASE, name, None, None, None, privilege, is_grantable=False, origin=Origin.GRANT)
        for role in _ROLES
        for name in server.database_names
        for privilege in _PRIVILEGES[role]
    ]
    return AccountListing(accounts, AccountMethod.FAKE), AccountPrivileges(list(unique.values()), privileges)


def _membership(member: str, role: str) -> AccountMembership:
    return AccountMembership(member, role, inherits=True, can_set=True, can_admin=False, is_default=True)


def _changes(dice: np.random.Generator) -> bool:
    return bool(dice.random() < 0.02)
