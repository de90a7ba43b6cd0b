"""One database: its size by day with the origin of each number, and the tables inside it."""

from datetime import date, timedelta

from whalefall_pipelines.capacity.answers import HistoryDay
from whalefall_pipelines.capacity.ask import history
from whalefall_pipelines.console.blocks import Block, Note, Page, Tone
from whalefall_pipelines.console.pages.history import DAYS, history_picture
from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import Database


def database_page(database: Database, today: date, instance_name: str, database_name: str) -> Page:
    """The page of a database.

    Raises:
        NotFoundError: the instance is not registered, it has no such database, or nothing was measured yet.
    """
    title = f"{instance_name}/{database_name}"
    try:
        answer = history(database, today, title, timedelta(days=DAYS))
    except InputError as error:
        return Page(title, "There is no history to show.", [Note(Tone.WARNING, "One day is not a history.", str(error))])
    blocks: list[Block] = [history_picture(title, answer.rows)] if answer.rows else []
    return Page(title, _answer(answer.rows), blocks)


def _answer(days: tuple[HistoryDay, ...]) -> str:
    known = [row for row in days if row.is_complete and row.total_bytes is not None]
    if not known:
        return "No size is known for these days."
    first, last = known[0], known[-1]
    grown = (last.total_bytes or 0) - (first.total_bytes or 0)
    change = f"{'grew' if grown >= 0 else 'shrank'} by {round_size(abs(grown))}"
    return f"{round_size(last.total_bytes or 0)} on {last.stat_date}; it {change} since {first.stat_date}."
