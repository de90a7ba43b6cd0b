"""The settings of the retention area. How many months are kept is in `aggregation/settings.py`, which computes from them."""

from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.settings.group import File, Group


class RetentionSettings(Group):
    """When table partitions are created and dropped, and what else expires."""

    title: ClassVar[str] = "Retention"

    partitions_ahead: int = Field(3, ge=1, le=120, description="Number of months for which table partitions are created ahead of time.")
    account_retention_days: int = Field(
        1830,
        ge=30,
        le=36_500,
        description="How long the history of accounts and their privileges is kept; the current state is always kept.",
    )
    session_retention_days: int = Field(90, ge=7, le=36_500, description="How long sessions and their records are kept.")
    audit_retention_days: int = Field(
        400, ge=7, le=36_500, description="How long the audit log of the API is kept, and tokens after they ended."
    )
    event_retention_days: int = Field(90, ge=7, le=36_500, description="How long the step events of Dagster runs are kept.")
    expire_at_most: int = Field(
        36,
        ge=1,
        le=10_000,
        description="Number of table partitions that may be dropped or pruned at once without `--yes`. The default is three months of "
        "every table.",
    )
    archive_dir: File | None = Field(None, description="Folder to which a month is archived before it is dropped.", examples=["none"])


SETTINGS = RetentionSettings
