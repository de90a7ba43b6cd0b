"""Toys: how many there are."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.domain.months import Content, PartitionedTable

AREA = Area(
    __name__,
    commands={
        "toys": "Count the toys.",
    },
    has_definitions=True,
    has_doctor_checks=True,
    has_grants=True,
    columns={"toy_stats": (("stat_date", "date", "the day"), ("toys", "integer", "how many toys there were"))},
    partitioned_tables=(PartitionedTable("toy_stats", Content.DAYS),),
)
