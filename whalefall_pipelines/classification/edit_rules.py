"""What a person may do with rules: add, edit, switch off, install the shipped ones, import those of the product. Versions are immutable."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from whalefall_pipelines.classification.model import Classification, Origin, RuleText, RuleVersion
from whalefall_pipelines.classification.rule_files import RuleFile, parse_product_file, parse_rule_file
from whalefall_pipelines.classification.store import rules as store
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.read_text_file import read_text_file
from whalefall_pipelines.store.database import Cursor, Database

SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class SavedRule:
    """What happened to one rule: added, edited, unchanged, or kept because a person changed it or switched it off."""

    rule_name: str
    rule_version: int
    change: str


def add_rules(database: Database, path: Path, person: str) -> tuple[SavedRule, ...]:
    """Add the classes and rules of a file.

    Raises:
        InputError: the file is not valid, or a rule of this name exists; nothing is saved.
    """
    return _add(database, parse_rule_file(read_text_file(path), str(path)), Origin.PERSON, person)


def import_rules(database: Database, path: Path, person: str) -> tuple[SavedRule, ...]:
    """Add the rules that the product exported, one to one.

    Raises:
        InputError: a rule cannot be taken over, or one of this name exists; nothing is saved.
    """
    return _add(database, parse_product_file(read_text_file(path), str(path)), Origin.IMPORTED, person)


def edit_rules(database: Database, path: Path, person: str) -> tuple[SavedRule, ...]:
    """Make a new version of each rule of a file. A rule that is as it was stays, unless it was switched off.

    Raises:
        InputError: the file is not valid; nothing is saved.
        NotFoundError: there is no rule of this name; nothing is saved.
    """
    file = parse_rule_file(read_text_file(path), str(path))
    with database.transaction() as cursor:
        store.lock_rules(cursor)
        store.add_classifications(cursor, file.classifications, is_system=False)
        return tuple(_edit(cursor, rule, person) for rule in _with_known_classes(cursor, file.rules))


def disable_rule(database: Database, rule_name: str) -> RuleVersion:
    """Switch a rule off: the next evaluation ends its assignments.

    Raises:
        NotFoundError: there is no rule of this name.
    """
    with database.transaction() as cursor:
        store.lock_rules(cursor)
        rule = _current(cursor, rule_name)
        store.disable_rule(cursor, rule.rule_group_id)
    return rule


def install_rules(database: Database) -> tuple[SavedRule, ...]:
    """Add the shipped classes and rules, and bring shipped ones up to date. What a person edited or switched off stays."""
    files = [parse_rule_file(read_text_file(path), path.name) for path in sorted(SHIPPED.glob("*.yaml"))]
    with database.transaction() as cursor:
        store.lock_rules(cursor)
        for file in files:
            store.add_classifications(cursor, file.classifications, is_system=True)
        return tuple(_install(cursor, rule) for file in files for rule in file.rules)


def list_rules(database: Database) -> tuple[RuleVersion, ...]:
    """Every rule by its current version."""
    with database.transaction() as cursor:
        return store.list_rules(cursor)


def show_rule(database: Database, rule_name: str, version: int | None = None) -> RuleVersion:
    """One rule, by its current version or an older one.

    Raises:
        NotFoundError: there is no such rule or version.
    """
    with database.transaction() as cursor:
        return _current(cursor, rule_name, version)


def list_classifications(database: Database) -> tuple[Classification, ...]:
    """Every class."""
    return store.list_classifications(database)


def delete_classification(database: Database, code: str) -> None:
    """Delete a class that nothing uses and ever used.

    Raises:
        InputError: rules or accounts use it; the message names them.
        NotFoundError: there is no such class.
    """
    with database.transaction() as cursor:
        store.lock_rules(cursor)
        users = store.list_users_of_classification(cursor, code)
        if users:
            more = f" and {len(users) - 10} more" if len(users) > 10 else ""
            raise InputError(f"The class {code!r} is in use, so it is not deleted: by {', '.join(users[:10])}{more}.")
        if not store.delete_classification(cursor, code):
            raise NotFoundError(f"There is no class {code!r}; `whalefall rules classes` shows them.")


def _add(database: Database, file: RuleFile, origin: Origin, person: str) -> tuple[SavedRule, ...]:
    with database.transaction() as cursor:
        store.lock_rules(cursor)
        store.add_classifications(cursor, file.classifications, is_system=False)
        known = {rule.rule_name for rule in store.list_rules(cursor)}
        again = sorted(known & {rule.rule_name for rule in file.rules})
        if again:
            raise InputError(f"These rules exist already, so nothing was added: {', '.join(again)}. Change them with `rules edit FILE`.")
        for rule in _with_known_classes(cursor, file.rules):
            store.add_version(cursor, uuid4(), 1, rule, origin=origin, created_by=person)
    return tuple(SavedRule(rule.rule_name, 1, "added") for rule in file.rules)


def _edit(cursor: Cursor, rule: RuleText, person: str) -> SavedRule:
    current = _current(cursor, rule.rule_name)
    if current.is_active and _same(current.text, rule):
        return SavedRule(rule.rule_name, current.rule_version, "unchanged")
    version = current.rule_version + 1
    store.add_version(cursor, current.rule_group_id, version, rule, origin=Origin.PERSON, created_by=person)
    return SavedRule(rule.rule_name, version, "edited")


def _install(cursor: Cursor, rule: RuleText) -> SavedRule:
    existing = store.list_rules(cursor, rule.rule_name)
    if not existing:
        store.add_version(cursor, _shipped_id(rule.rule_name), 1, rule, origin=Origin.SHIPPED, created_by="whalefall")
        return SavedRule(rule.rule_name, 1, "added")
    (current,) = existing
    if current.origin is not Origin.SHIPPED or not current.is_active:
        return SavedRule(rule.rule_name, current.rule_version, "kept because someone changed it")
    if _same(current.text, rule):
        return SavedRule(rule.rule_name, current.rule_version, "unchanged")
    version = current.rule_version + 1
    store.add_version(cursor, current.rule_group_id, version, rule, origin=Origin.SHIPPED, created_by="whalefall")
    return SavedRule(rule.rule_name, version, "updated")


def _same(first: RuleText, second: RuleText) -> bool:
    return _content(first) == _content(second)


def _content(rule: RuleText) -> tuple[object, ...]:
    return (rule.classification_code, rule.engine, rule.expression, rule.description, rule.benchmark, list(rule.examples))


def _current(cursor: Cursor, rule_name: str, version: int | None = None) -> RuleVersion:
    rules = store.list_rules(cursor, rule_name, version=version)
    if not rules:
        which = f"version {version} of a rule" if version else "rule"
        raise NotFoundError(f"There is no {which} {rule_name!r}; `whalefall rules list` shows them.")
    return rules[0]


def _with_known_classes(cursor: Cursor, rules: Sequence[RuleText]) -> Sequence[RuleText]:
    known = store.list_codes(cursor)
    unknown = sorted({rule.classification_code for rule in rules} - known)
    if unknown:
        raise InputError(
            f"There is no class {', '.join(unknown)}, so nothing was saved: add it under `classifications` in a file, or install the "
            "shipped ones with `whalefall rules install`."
        )
    return rules


def _shipped_id(rule_name: str) -> UUID:
    """The same on every installation, so that reports of several can be joined."""
    return uuid5(NAMESPACE_URL, f"whalefall:rule:{rule_name}")
