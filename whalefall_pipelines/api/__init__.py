"""The HTTP API: tokens, audit, health, and the app that has the routes of every area. `gate/` stands before it."""

from whalefall_pipelines.api.columns import COLUMNS
from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "tokens": "Create, list and revoke API tokens.",
        "audit": "Show who changed what: through the API, in the console, in the Dagster UI, and with commands.",
    },
    has_grants=True,
    has_settings=True,
    has_router=True,
    columns=COLUMNS,
)
