"""The route of growth: why the fleet is larger or smaller. `capacity/api.py` lists the fastest growing databases."""

from typing import Annotated

from fastapi import Query

from whalefall_pipelines.api_base.filters import SinceOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import ServicesOf
from whalefall_pipelines.growth.model import Attribution
from whalefall_pipelines.growth.questions import explain_growth

ROUTES = Routes("growth")


@ROUTES.get("/growth/waterfall", problems=(404,))
def read_waterfall(
    services: ServicesOf,
    since: SinceOf,
    by: Annotated[
        str, Query(pattern=r"^(database|instance|tag:[^\x00]{1,500})$", description="Groups: database, instance, or tag:KEY.")
    ] = "database",
    most: Annotated[int, Query(ge=1, le=100_000, description="The most databases.")] = 20,
    with_tables: Annotated[bool, Query(description="Also list the tables behind the databases that changed the most.")] = False,
    within: Annotated[
        str | None,
        Query(
            pattern=r"^(instance:[^\x00]{1,500}|tag:[^\x00=]{1,250}(=[^\x00]{0,250})?)$",
            description="Only these servers: instance:NAME, tag:KEY=VALUE, or tag:KEY for those without the tag.",
        ),
    ] = None,
) -> Attribution:
    """Explain why the fleet is larger or smaller than on a day: bars that add up to the difference of the totals."""
    return explain_growth(
        services.reader, services.today(), services.settings, since=since, by=by, most=most, with_tables=with_tables, within=within
    )
