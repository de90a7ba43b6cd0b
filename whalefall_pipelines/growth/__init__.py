"""Growth: which databases, servers, tags and tables make the fleet larger or smaller, exact to the byte."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={"growth": "Show what grew: the databases, or a waterfall that adds up to the byte."},
    has_definitions=True,
    has_settings=True,
    automations=("explain_growth_every_day",),
)
