"""The settings of the inventory."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import File, Group


class InventorySettings(Group):
    """Which databases are left out."""

    title: ClassVar[str] = "Collecting"

    filters_file: File | None = Field(None, description="YAML file with the databases to leave out.", examples=["none"])


SETTINGS = InventorySettings
