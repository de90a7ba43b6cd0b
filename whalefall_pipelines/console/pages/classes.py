"""Classes of accounts by risk, the rules that put accounts into them, and one rule: replayed over past days, explained for an account."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from whalefall_pipelines.classification.edit_rules import list_classifications, list_rules, show_rule
from whalefall_pipelines.classification.evaluate import Explanation
from whalefall_pipelines.classification.model import Classification, Member, RuleVersion
from whalefall_pipelines.classification.read_classes import count_by_class, count_members_by_day, list_members, members_of
from whalefall_pipelines.classification.rule_files import write_rule_file
from whalefall_pipelines.classification.try_rules import Replayed, explain_rule, replay_rule
from whalefall_pipelines.console.blocks import (
    Block,
    Field,
    Links,
    Note,
    Page,
    Picture,
    Search,
    Table,
    Tone,
    day,
    number,
    text,
    yes_or_no,
)
from whalefall_pipelines.console.charts.counts import counts_chart
from whalefall_pipelines.console.urls import account_url, class_url, rule_url, server_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

_REPLAYED_DAYS = 14
_TREND_DAYS = 30
_LISTED = 500
_MOST_REPLAYED_DAYS = 92
_ANSWERS = {True: "true", False: "false", None: "unknown"}


def classes_page(database: Database, today: date, as_of: date | None, code: str | None) -> Page:
    """The classes with how many accounts are in each on a day, the accounts of one class, and the rules.

    Without a `code` they are those of the class with the highest risk that has any.
    """
    asked_day = as_of or today
    classes = {known.code: known for known in _by_risk(list_classifications(database))}
    counts = count_by_class(database, asked_day)
    shown = code or next((known for known in classes if known in counts), next(iter(classes), ""))
    question = Search(
        "Show",
        [
            Field("class", "Class", shown, kind="choice", options=tuple((known.code, known.display_name) for known in classes.values())),
            Field("day", "as of", asked_day.isoformat(), kind="date"),
        ],
    )
    members = list_members(database, members_of(database, asked_day, code=shown), _LISTED + 1)
    name = classes[shown].display_name if shown in classes else shown
    blocks: list[Block] = [_overview(classes.values(), counts, asked_day), question, *_trend(database, shown, name, asked_day)]
    if len(members) > _LISTED:
        command = f"whalefall accounts classes --class {shown}"
        blocks.append(
            Note(
                Tone.WARNING, f"Only {_LISTED} accounts of this class are shown, and are in the CSV file.", "This command has all.", command
            )
        )
    of_class = counted(counts.get(shown, 0), "account is", "accounts are")
    answer = f"{of_class} in the class {name} on {asked_day}." if shown else "There are no classes."
    return Page("Classes", answer, [*blocks, _members(members[:_LISTED], name, asked_day), _rules(database)])


def classes_table(database: Database, asked_day: date) -> Table:
    """How many accounts are in each class on a day, each with a link to them."""
    return _overview(_by_risk(list_classifications(database)), count_by_class(database, asked_day), asked_day)


def _overview(classes: Iterable[Classification], counts: Mapping[str, int], asked_day: date) -> Table:
    return Table(
        "classes",
        "Accounts by class",
        ("Class", "Risk (1 is highest)", "What it tells", "Accounts", "Meaning"),
        [
            (
                text(known.display_name, class_url(known.code, asked_day)),
                number(known.risk_level),
                text(known.axis),
                number(counts.get(known.code, 0)),
                text(known.description or None),
            )
            for known in classes
        ],
        "There is no class; `whalefall rules install` adds the shipped ones.",
    )


def _by_risk(classes: Iterable[Classification]) -> list[Classification]:
    return sorted(classes, key=lambda known: (known.axis, known.risk_level))


def _trend(database: Database, code: str, name: str, last_day: date) -> list[Block]:
    """How many accounts were in a class on the days before, if any of them is known."""
    counts = count_members_by_day(database, code, last_day - timedelta(days=_TREND_DAYS - 1), last_day)
    if not counts:
        return []
    title = f"Accounts in the class {name} day by day"
    rows = [(day(stat_date), number(accounts)) for stat_date, accounts in sorted(counts.items(), reverse=True)]
    return [Picture(title, counts_chart(title, counts), table=Table("trend", title, ("Day", "Accounts"), rows))]


def _members(members: Sequence[Member], name: str, asked_day: date) -> Table:
    rows = [
        (
            text(member.account_name, account_url(member.instance_name, member.account_name, asked_day)),
            text(member.instance_name, server_url(member.instance_name)),
            text(member.code),
            number(member.risk_level),
            text(member.rule_name or member.assigned_by, rule_url(member.rule_name) if member.rule_name else None),
            day(member.valid_from),
            text(member.notes),
        )
        for member in members
    ]
    columns = ("Account", "Server", "Class", "Risk", "Because of", "Since", "Notes")
    return Table("members", f"Accounts in the class {name}", columns, rows, "No account is in it.")


def _rules(database: Database) -> Table:
    rows = [
        (
            text(rule.rule_name, rule_url(rule.rule_name)),
            number(rule.rule_version),
            text(rule.classification_code),
            text(rule.engine),
            yes_or_no(rule.is_active),
            text(rule.origin),
            text(rule.description or None),
        )
        for rule in list_rules(database)
    ]
    return Table("rules", "Rules", ("Rule", "Version", "Class", "Engine", "Active", "Origin", "Meaning"), rows, "There is no rule.")


def rule_page(database: Database, today: date, rule_name: str, days: int | None, account: Mapping[str, str]) -> Page:
    """One rule: its text, what it says of an account, and what it would have matched on the last `days`, if that is asked.

    Raises:
        NotFoundError: there is no such rule.
        InputError: more days are asked for than are replayed at once.
    """
    rule = show_rule(database, rule_name)
    if days is not None and days > _MOST_REPLAYED_DAYS:
        raise InputError(f"At most {_MOST_REPLAYED_DAYS} days are replayed at once.")
    server, name = account.get("server", ""), account.get("account", "")
    hidden = Field("name", "", rule_name, kind="hidden")
    blocks: list[Block] = [
        Search("Replay", [hidden, Field("days", "What it would have matched: days", str(days or _REPLAYED_DAYS), kind="number")]),
        Search("Explain", [hidden, Field("server", "What it says of Server", server, "orders"), Field("account", "Account", name, "app")]),
    ]
    if server and name:
        blocks.append(_explained(database, rule, server, name, today))
    if days is not None:
        blocks.append(_replayed(list(replay_rule(database, rule.text, today - timedelta(days=days - 1), today))))
    blocks.append(Note(Tone.GOOD, f"Version {rule.rule_version}, written by {rule.created_by}.", command=write_rule_file([rule.text])))
    blocks.append(Links([text("All classes and rules", "/classes")]))
    state = "is active" if rule.is_active else "is off"
    return Page(rule.rule_name, f"It {state} and puts accounts of {rule.engine} into the class {rule.classification_code}.", blocks)


def _replayed(days: list[Replayed]) -> Table:
    rows = [
        (day(entry.day), number(entry.matches), text(", ".join(entry.entered) or None), text(", ".join(entry.left) or None))
        for entry in days
    ]
    return Table("replay", "What it would have matched", ("Day", "Accounts", "New", "No longer"), rows[::-1])


def _explained(database: Database, rule: RuleVersion, server: str, name: str, today: date) -> Block:
    try:
        explained = explain_rule(database, rule.text, server, name, today)
    except (NotFoundError, InputError) as error:
        return Note(Tone.WARNING, f"{server}/{name} cannot be explained.", str(error))
    if not explained.is_of_engine:
        return Note(Tone.WARNING, f"The rule is for {rule.engine}, and {server} is another engine.", "It never matches this account.")
    rows = [
        (text(f"{'· ' * depth}{node.label}"), text(_ANSWERS[node.value]), text(node.fact or None))
        for depth, node in _nodes(explained.explanation, 0)
    ]
    title = f"What it says of {server}/{name}: {_ANSWERS[explained.explanation.value]}"
    return Table("explanation", title, ("Condition", "Answer", "Because"), rows)


def _nodes(node: Explanation, depth: int) -> Iterator[tuple[int, Explanation]]:
    yield depth, node
    for part in node.parts:
        yield from _nodes(part, depth + 1)
