"""The documented columns of the function `capacity_attribution`."""

from whalefall_pipelines.area import Column

ATTRIBUTION: tuple[Column, ...] = (
    ("instance_id", "integer", "the server"),
    ("instance_name", "text", "its name"),
    ("engine", "text", "postgresql, mysql (MariaDB too), sqlserver or oracle"),
    ("tags", "jsonb", "the labels of the server, as they are now"),
    ("database_id", "integer", "the database within its server, the same under all of its names"),
    ("database_name", "text", "its name on the last day on which it exists"),
    ("name_before", "text", "its name on the first day, if it was renamed"),
    (
        "bar",
        "text",
        "joined, left, birth, death, growth, shrink, measure_changed, gap_opened, gap_closed; NULL if its size is the same or none",
    ),
    ("change_bytes", "bigint", "adds up to the difference of the stored totals"),
    ("first_bytes", "bigint", "the size on the first day; NULL without one"),
    ("last_bytes", "bigint", "the size on the last day; NULL without one"),
    ("is_estimated", "boolean", "whether one of the sizes is an estimate"),
    ("held_bar", "text", "the bar if a missing database counts with its last known size, which is at most 14 days old"),
    ("held_change_bytes", "bigint", "adds up to the difference of these totals"),
)
