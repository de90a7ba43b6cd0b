"""Why a number is what it is: how it was measured, by which session, from which neighbours; or why it is missing."""

from datetime import date

from whalefall_pipelines.capacity.explain import DayExplanation, explain_day
from whalefall_pipelines.console.blocks import Block, Card, Cards, Links, Note, Page, Table, Tone, day, instant, size, text
from whalefall_pipelines.console.pages.sessions import run_url
from whalefall_pipelines.console.urls import database_url, explanation_url, session_url
from whalefall_pipelines.inventory.fleet import show_instance
from whalefall_pipelines.store.database import Database


def explanation_page(database: Database, instance_name: str, database_name: str, stat_date: date, dagster_url: str | None) -> Page:
    """The explanation of the size of a database on a day.

    Raises:
        NotFoundError: there is no such server, or it never had this database.
    """
    instance = show_instance(database, instance_name)[0].instance
    explanation = explain_day(database, instance.instance_id, database_name, stat_date)
    blocks: list[Block] = [_cards(database, explanation, dagster_url)]
    if explanation.detail:
        blocks.append(Note(Tone.PROBLEM, f"It is missing: {explanation.reason}.", explanation.detail))
    if explanation.neighbours:
        rows = [
            (day(neighbour.stat_date, explanation_url(instance_name, database_name, neighbour.stat_date)), size(neighbour.total_bytes))
            for neighbour in explanation.neighbours
        ]
        blocks.append(Table("neighbours", "The nearest known days", ("Day", "Size"), rows))
    blocks += [Note(Tone.GOOD, "The server was asked:", command=statement) for statement in explanation.probe_statements]
    blocks.append(Links([text("All days of the database", database_url(instance_name, database_name))]))
    return Page(f"{instance_name}/{database_name} on {stat_date}", explanation.sentence, blocks)


def _cards(database: Database, explanation: DayExplanation, dagster_url: str | None) -> Cards:
    session_id, run_id = explanation.session_id, explanation.run_id
    return Cards(
        [
            Card("Size", size(explanation.total_bytes), explanation.state),
            Card("Method", text(explanation.method)),
            Card("Collected", instant(explanation.collected_at, database.timezone)),
            Card("Server version", text(explanation.server_version), explanation.engine),
            Card("Session", text(str(session_id)[:8] if session_id else None, session_url(session_id) if session_id else None)),
            Card("Dagster run", text(run_id and run_id[:8], run_url(dagster_url, run_id))),
        ]
    )
