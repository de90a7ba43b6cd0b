"""The settings of the capacity area."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import Group, YesNo


class CapacitySettings(Group):
    """When a day is good enough, and how its gaps are filled."""

    title: ClassVar[str] = "Collecting"

    max_gap_days: int = Field(
        14, ge=0, le=366, description="Maximum number of days between a missing day and the known days from which it is estimated."
    )
    fail_below_coverage: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the expected databases that must be measured. Below this share, the run and the day in Dagster fail.",
    )
    jump_percent: int = Field(
        30,
        ge=1,
        le=1_000_000,
        description="The check `no_database_jumped` warns if a database changes in a day by more than this percentage and by more than "
        "the next setting.",
    )
    jump_gigabytes: int = Field(20, ge=0, le=1_000_000, description="The size for that check, in GB.")
    oracle_awr_licensed: YesNo = Field(
        False,  # noqa: FBT003 - a default
        description="`yes` if Oracle's Diagnostics Pack is licensed. Missed days are then recovered from AWR.",
        examples=["`no`"],
    )


SETTINGS = CapacitySettings
