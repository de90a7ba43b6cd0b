"""Growth: which databases, servers, tags and tables make the fleet larger or smaller, exact to the byte."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={"growth": "Show the fastest growing databases or, with --by, why the fleet is larger or smaller."},
    has_definitions=True,
    has_settings=True,
    has_router=True,
    automations=("explain_growth_every_day",),
)
