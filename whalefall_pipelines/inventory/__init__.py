"""The inventory: the registered servers, their identities and databases, and connection tests."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.inventory.columns import COLUMNS

AREA = Area(
    __name__,
    commands={
        "instances": "Register, show and test the monitored servers.",
    },
    has_definitions=True,
    has_settings=True,
    has_router=True,
    has_doctor_checks=True,
    has_grants=True,
    columns=COLUMNS,
)
