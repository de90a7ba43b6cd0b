"""The settings of the area of growth."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import Group


class GrowthSettings(Group):
    """What storage costs."""

    title: ClassVar[str] = "Growth"

    prices: str | None = Field(
        None,
        description="Monthly price of a GiB, for `whalefall growth --by`: `KEY=VALUE:PRICE` for servers with this tag (the first match "
        "counts), and `PRICE` for all others, separated by commas, like `env=prod:0.12,0.05`.",
        examples=["none"],
    )


SETTINGS = GrowthSettings
