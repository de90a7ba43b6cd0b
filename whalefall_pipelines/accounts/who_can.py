"""The question who has a privilege on an object, now or on a past day, through which chain and since when."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.accounts.figures import GapRow
from whalefall_pipelines.accounts.object_privileges import privileges_on, read_privilege
from whalefall_pipelines.accounts.paths import Holder, Target, find_holders
from whalefall_pipelines.accounts.store import privileges, reports
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

_NAME = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


@dataclass(frozen=True, slots=True)
class Answer:
    """Who has a privilege on the targets. Where `unread` covers a target, further accounts may have it: that is unknown.

    `inapplicable` are targets of engines that have no such privilege.
    """

    privilege: str
    targets: tuple[Target, ...]
    holders: tuple[Holder, ...]
    unread: tuple[GapRow, ...]
    inapplicable: tuple[Target, ...]


def who_can(database: Database, privilege: str, object_name: str, day: date, names: Sequence[str] = ()) -> Answer:
    """Who has this privilege on the object of this name on a day, on these instances or on all.

    Raises:
        InputError: the name is not one to three names with dots between, or no such object has this privilege.
        NotFoundError: no server is known to have such an object on that day.
    """
    path = parse_path(object_name)
    targets = privileges.find_targets(database, path, day, names)
    if not targets:
        raise NotFoundError(
            f"No server is known to have {object_name!r} on {day}. Write a table as SCHEMA.TABLE or DATABASE.SCHEMA.TABLE, on MySQL and "
            "MariaDB as DATABASE.TABLE, and a database as DATABASE. Put names that contain dots in double quotes."
        )
    name = read_privilege(privilege, targets)
    asked = [target for target in targets if name in privileges_on(target)]
    rows = privileges.find_steps(database, name, asked, day)
    unread = reports.list_gaps(database, day, sorted({target.instance_name for target in asked}))
    databases = {(target.instance_name, target.database_name) for target in asked}
    return Answer(
        name,
        targets,
        find_holders(asked, rows),
        tuple(gap for gap in unread if gap.database_name is None or (gap.instance_name, gap.database_name) in databases),
        tuple(target for target in targets if target not in asked),
    )


def parse_path(text: str) -> list[str]:
    """One to three names with dots between; a name with a dot stands in double quotes, in which "" is one.

    Raises:
        InputError: it is something else.
    """
    names: list[str] = []
    position = 0
    while match := _NAME.match(text, position):
        names.append(match[1].replace('""', '"') if match[1] is not None else match[2])
        position = match.end() + 1
        if match.end() == len(text) or text[match.end()] != ".":
            break
    if not 1 <= len(names) <= 3 or position != len(text) + 1:
        raise InputError(
            f"{text!r} is not an object. Write one to three names separated by dots, and put names that contain dots in double quotes."
        )
    return names
