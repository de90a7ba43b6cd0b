"""The doctor's checks of retention: the months exist, and the disk usage of the installation."""

from collections.abc import Iterator, Sequence

from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, listed, problem, warning
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.retention.expire_rows import Databases, read_footprint
from whalefall_pipelines.retention.expired_rows import Footprint
from whalefall_pipelines.retention.maintain_table_partitions import plan
from whalefall_pipelines.retention.maintenance import Step, StepKind


def check(examined: Examined) -> Iterator[Outcome]:
    """Check the table partitions, and report the footprint if Dagster's database answers."""
    day = examined.today
    yield from check_months(plan(examined.store, examined.settings, day), Month(day.year, day.month))
    if examined.dagster:
        yield check_footprint(read_footprint(Databases(examined.store, examined.dagster), day))


def check_months(steps: Sequence[Step], current_month: Month) -> list[Outcome]:
    """Check that the current month and the months ahead exist, and that no detach was interrupted and no table conflicts."""
    create = "run `whalefall partitions create`."
    missing = [step for step in steps if step.kind is StepKind.CREATE and step.month]
    rules = (
        (
            "missing, and created by the next run before it writes",
            [step for step in missing if step.month and step.month <= current_month],
            problem,
            create,
        ),
        ("missing of the months ahead", [step for step in missing if step.month and step.month > current_month], warning, create),
        (
            "interrupted while being detached, so that queries do not see the rows",
            [step for step in steps if step.kind is StepKind.FINALIZE],
            problem,
            "run `whalefall partitions expire`.",
        ),
        (
            "in conflict with a month",
            [step for step in steps if step.kind is StepKind.CONFLICT],
            problem,
            "see `whalefall partitions plan`, and rename or drop the conflicting tables.",
        ),
    )
    bad = [
        outcome("table partitions", f"{why}: {listed([step.name for step in affected])}.", next_step)
        for why, affected, outcome, next_step in rules
        if affected
    ]
    return bad or [fine("table partitions", "the current month and the months ahead exist.")]


def check_footprint(footprint: Footprint) -> Outcome:
    """Report the disk usage, largest first, and its growth. It is never a problem, because the free space is unknown."""
    by_size = sorted(footprint.sizes.items(), key=lambda kind_and_size: -kind_and_size[1])
    kinds = ", ".join(f"{kind} {round_size(size)}" for kind, size in by_size)
    grown = footprint.growth_bytes(list(footprint.sizes))
    growth = "its growth will be known from tomorrow on"
    if grown is not None:
        growth = f"{round_size(abs(grown))} {'less' if grown < 0 else 'more'} a day since {footprint.earlier_on}"
    return fine("footprint", f"{round_size(footprint.total_bytes)} on disk ({kinds}); {growth}.")
