"""The settings of the aggregation area: how long days and periods are kept, which decides what can be computed."""

from typing import ClassVar

from pydantic import Field, model_validator

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings.group import Group


class KeptMonthsSettings(Group):
    """How many months are kept. Three months and the current one contain every day of the current quarter."""

    title: ClassVar[str] = "Retention"

    retention_months: int = Field(
        12,
        ge=3,
        le=1200,
        description="The number of full months before the current one for which sizes, gaps and daily aggregations are kept.",
    )
    aggregation_retention_months: int = Field(
        60,
        ge=6,
        le=1203,
        description="The same for weeks, months and quarters. It must exceed WHALEFALL_RETENTION_MONTHS by at least 3, because a "
        "quarter is compared with the previous one.",
    )

    @model_validator(mode="after")
    def _periods_outlive_their_days(self) -> "KeptMonthsSettings":
        """Refuse to keep less than the quarter before.

        The first complete quarter is compared with the quarter before, which began up to three months earlier. Without that quarter, the
        nightly recomputation would recreate expired periods, and compute final periods from incomplete days.
        """
        least = self.retention_months + 3
        if self.aggregation_retention_months < least:
            raise InputError(
                f"WHALEFALL_AGGREGATION_RETENTION_MONTHS is {self.aggregation_retention_months}, but with WHALEFALL_RETENTION_MONTHS "
                f"{self.retention_months} it must be at least {least}: a quarter is compared with the one before it, which must still "
                "exist."
            )
        return self


SETTINGS = KeptMonthsSettings
