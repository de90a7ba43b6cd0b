"""The settings of alerts. Rules, channels and windows are data: see `whalefall alerts rules`."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import Group


class AlertSettings(Group):
    """When alerts are evaluated, and who is told that a night is over."""

    title: ClassVar[str] = "Alerts"

    alerts_from_hour: int = Field(
        7, ge=0, le=23, description="From this hour on, the rules of the day are evaluated, when its forecasts are made."
    )
    heartbeat_url: str | None = Field(
        None,
        repr=False,
        description="A reference (env:NAME or file:PATH) to a URL that is requested after each closed day, so that something outside "
        "notices when no night ends.",
        examples=["none"],
    )


SETTINGS = AlertSettings
