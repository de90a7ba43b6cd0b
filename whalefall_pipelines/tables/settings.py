"""The settings of the area of tables."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import Group


class TablesSettings(Group):
    """Whose tables are read every week, and how many of them are stored."""

    title: ClassVar[str] = "Tables"

    tables_at_most: int = Field(
        20_000,
        ge=1,
        le=1_000_000,
        description="How many tables and table partitions of a database are stored each. The smaller ones are one row.",
    )
    tables_tag: str = Field("tables", description="The tables of servers with this tag (`KEY` or `KEY=VALUE`) are read every week.")
    tables_over_gigabytes: int = Field(100, ge=0, le=1_000_000, description="So are those of databases above this size.")
    tables_grew_gigabytes: int = Field(
        10, ge=0, le=1_000_000, description="So are those of databases that grew by more than this in seven days."
    )


SETTINGS = TablesSettings
