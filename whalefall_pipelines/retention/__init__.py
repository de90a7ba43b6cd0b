"""Retention: table partitions that are created ahead of time and expire, and rows that expire one by one."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands=("partitions", "retention"),
    has_definitions=True,
    automations=(
        "create_table_partitions_every_night",
        "expire_table_partitions_every_night",
        "measure_footprint_every_night",
        "expire_rows_every_night",
        "missing_table_partitions",
    ),
    has_doctor_checks=True,
    has_grants=True,
)
