"""Reads what is known of one account on a day, as rules ask it: its roles by walking the memberships, and what it has through them."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from whalefall_pipelines.accounts.figures import describe_object
from whalefall_pipelines.classification.facts import AccountFacts, HeldPrivilege, ReachedRole
from whalefall_pipelines.classification.store.facts import MembershipRow, PrivilegeRow, StoredFacts, find_account, list_privileges
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.store.database import Database

# A role with the only database in which it counts, and the chain that leads to it.
_Reached = dict[tuple[int, str | None], str]


def read_facts(database: Database, instance_name: str, account_name: str, day: date) -> AccountFacts:
    """The facts of one account.

    Raises:
        NotFoundError: there was no such account on that day, as far as it was observed.
    """
    stored = _find(database, instance_name, account_name, day)
    account = stored.account
    active = _walk([(account.account_id, "")], stored.memberships, by_inheriting=True)
    settable = _walk([(account.account_id, "")], stored.memberships, by_inheriting=False)
    everyone = [(each.account_id, each.account_name) for each in stored.everyone]
    of_everyone = {(number, None): name for number, name in everyone} | _walk(everyone, stored.memberships, by_inheriting=True)
    holders = {account.account_id, *(number for number, _ in active), *(number for number, _ in of_everyone)}
    privileges = list_privileges(database, sorted(holders), day)
    own = _held({(account.account_id, None): ""}, privileges, is_own=True)
    through_roles = _held(active, privileges)
    return AccountFacts(
        account.engine,
        day,
        account.account_name,
        account.account_kind,
        account.is_built_in,
        account.attributes,
        account.password_changed_on,
        account.password_expires_on,
        account.first_seen_on,
        account.last_login_on,
        account.host_count,
        account.member_count,
        account.tags,
        account.server_version,
        _roles(stored, active, settable),
        (*own, *through_roles, *_held(of_everyone, privileges, is_public=True)),
        stored.unread,
    )


def _find(database: Database, instance_name: str, account_name: str, day: date) -> StoredFacts:
    stored = find_account(database, instance_name, account_name, day)
    if stored is None:
        raise NotFoundError(
            f"No account {account_name!r} is known on {instance_name!r} on {day}; "
            f"`whalefall accounts list --instance {instance_name}` shows those that are."
        )
    return stored


def _walk(starts: Iterable[tuple[int, str]], memberships: Sequence[MembershipRow], *, by_inheriting: bool) -> _Reached:
    """The roles that accounts have now, or may become. Nested roles come with the role that is active at login."""
    by_member: defaultdict[int, list[MembershipRow]] = defaultdict(list)
    for membership in memberships:
        if membership.inherits if by_inheriting else membership.can_set:
            by_member[membership.member_id].append(membership)
    arrow = "→" if by_inheriting else "⇒"
    reached: _Reached = {}
    waiting = deque((edge, chain) for number, chain in starts for edge in by_member[number] if edge.is_default or not by_inheriting)
    while waiting:
        edge, chain = waiting.popleft()
        key = (edge.role_id, edge.database_name)
        if key not in reached:
            reached[key] = f"{chain} {arrow} {edge.role_name}".strip()
            waiting.extend((further, reached[key]) for further in by_member[edge.role_id])
    return reached


def _roles(stored: StoredFacts, active: Mapping[tuple[int, str | None], str], settable: _Reached) -> tuple[ReachedRole, ...]:
    has_now, can_become = {number for number, _ in active}, {number for number, _ in settable}
    rows = {edge.role_id: edge for edge in stored.memberships}
    chains = {number: chain for (number, _), chain in (*settable.items(), *active.items())}
    return tuple(
        ReachedRole(
            rows[number].role_name, _short_name(rows[number]), number in has_now, number in can_become, rows[number].is_superuser, chain
        )
        for number, chain in chains.items()
        if number != stored.account.account_id
    )


def _short_name(role: MembershipRow) -> str:
    """The name without the host (MySQL), or without the database (SQL Server: `[database].[name]`, in which ] is doubled)."""
    if role.user_of_role is not None:
        return role.user_of_role
    if role.database_of_role is None:
        return role.role_name
    return role.role_name[len(role.database_of_role.replace("]", "]]")) + 4 : -1].replace("]]", "]")


def _held(
    reached: Mapping[tuple[int, str | None], str], privileges: Sequence[PrivilegeRow], *, is_own: bool = False, is_public: bool = False
) -> list[HeldPrivilege]:
    return [
        HeldPrivilege(
            row.privilege,
            row.scope,
            row.database_name,
            row.object_name,
            row.is_grantable,
            row.effect,
            is_own,
            is_public,
            describe_object(
                row.scope,
                {"database": row.database_name, "schema": row.schema_name, "object": row.object_name, "column": row.column_name},
            ),
            chain,
        )
        for (number, database_name), chain in reached.items()
        for row in privileges
        if row.account_id == number and database_name in {None, row.database_name}
    ]
