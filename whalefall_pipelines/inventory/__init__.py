"""The inventory: which servers and databases there are, who they are, and whether they can be reached."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.inventory.columns import COLUMNS

AREA = Area(
    __name__,
    commands=("instances",),
    has_definitions=True,
    has_doctor_checks=True,
    has_grants=True,
    columns=COLUMNS,
)
