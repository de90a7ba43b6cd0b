"""The settings of the capacity area."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import Group, YesNo


class CapacitySettings(Group):
    """When a day is good enough, and how its gaps are filled."""

    title: ClassVar[str] = "Collecting"

    max_gap_days: int = Field(14, ge=0, le=366, description="How far a known day may be from a missing day that is estimated from it.")
    fail_below_coverage: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The share of the expected databases that must be measured. Below it the run of the day fails, so that the day is red "
        "in Dagster.",
    )
    jump_percent: int = Field(
        30,
        ge=1,
        le=1_000_000,
        description="The check `no_database_jumped` warns if a database changes by more than this percentage in a day, and by more than "
        "the following size.",
    )
    jump_gigabytes: int = Field(20, ge=0, le=1_000_000, description="That size in GB.")
    oracle_awr_licensed: YesNo = Field(
        False,  # noqa: FBT003 - a default
        description="`yes` if the Diagnostics Pack of Oracle is licensed: missed days are then recovered from AWR.",
        examples=["`no`"],
    )


SETTINGS = CapacitySettings
