"""Retention: table partitions that are created ahead of time and expire, and rows that expire one by one."""

from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={
        "partitions": "Maintain the monthly table partitions by hand.",
        "retention": "Delete expired rows, and show the disk usage.",
    },
    has_definitions=True,
    has_settings=True,
    has_router=True,
    has_metrics=True,
    automations=(
        "create_table_partitions_every_night",
        "expire_table_partitions_every_night",
        "measure_footprint_every_night",
        "expire_rows_every_night",
        "missing_table_partitions",
    ),
    has_doctor_checks=True,
    has_follow_up=True,
    has_grants=True,
)
