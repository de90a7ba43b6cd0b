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
        description="Number of tables and table partitions that are stored individually for a database. The smaller ones share one row.",
    )
    tables_tag: str = Field("tables", description="Tag of the servers whose tables are read every week: `KEY` or `KEY=VALUE`.")
    tables_over_gigabytes: int = Field(
        100, ge=0, le=1_000_000, description="Size in GB above which the tables of a database are read every week."
    )
    tables_grew_gigabytes: int = Field(
        10, ge=0, le=1_000_000, description="Growth in GB within seven days above which the tables of a database are read every week."
    )


SETTINGS = TablesSettings
