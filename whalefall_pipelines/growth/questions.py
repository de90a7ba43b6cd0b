"""What the command of the area asks, here or of a server elsewhere."""

from datetime import date, timedelta

from whalefall_pipelines.growth.attribute import attribute_span, parse_grouping, parse_within
from whalefall_pipelines.growth.model import Attribution
from whalefall_pipelines.growth.prices import parse_prices
from whalefall_pipelines.growth.settings import GrowthSettings
from whalefall_pipelines.runtime.source import Question
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


def explain_growth(
    database: Database,
    today: date,
    settings: Settings,
    *,
    since: date | timedelta,
    by: str,
    most: int,
    with_tables: bool,
    within: str | None = None,
) -> Attribution:
    """Why the fleet is larger or smaller than on the day `since`, with the prices of this installation.

    Raises:
        NotFoundError: nothing was measured yet, or no server is within.
        InputError: that day is not before the newest one, or `by` or `within` cannot be read.
    """
    prices = parse_prices(settings.of(GrowthSettings).prices or "")
    return attribute_span(
        database,
        today,
        since,
        parse_grouping(by),
        most=most,
        with_tables=with_tables,
        prices=prices,
        within=parse_within(within) if within else None,
    )


WATERFALL = Question(explain_growth, "/growth/waterfall")
