"""The doctor's checks of alerts: rules are evaluated, messages arrive, and channels can be reached."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from whalefall_pipelines.alerts.configure import list_channels
from whalefall_pipelines.alerts.deliver import unreadable_channels
from whalefall_pipelines.alerts.evaluate import first_expected_day, last_closed_day, last_evaluation
from whalefall_pipelines.alerts.handle import list_undelivered
from whalefall_pipelines.alerts.settings import AlertSettings
from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, problem
from whalefall_pipelines.domain.quantities import counted

# The rules of a closed day are evaluated within a day; two more hours are a margin.
STALE = timedelta(hours=26)


def check(examined: Examined) -> Iterator[Outcome]:
    """Check that alerts are evaluated and delivered."""
    now = examined.installation.clock()
    yield from check_evaluation(examined, now)
    undelivered = list_undelivered(examined.store)
    for message in undelivered[:5]:
        sentence = f"the message {message.subject!r} to {message.channel_name!r} was given up after three attempts: {message.error}."
        yield problem("alerts", sentence, "correct the channel, and run `whalefall alerts send --retry-failed`.")
    channels = list_channels(examined.store)
    unreadable = unreadable_channels(channels, examined.settings)
    for sentence in unreadable:
        yield problem("alerts", sentence, "correct the reference, and import the file of the channel again.")
    if not undelivered and not unreadable:
        nobody = "no channel is set up, so nobody is told of alerts."
        yield fine("alerts", f"{counted(len(channels), 'channel')}, and nothing is undelivered." if channels else nobody)


def check_evaluation(examined: Examined, now: datetime) -> Iterator[Outcome]:
    """Every day is closed, and a closed day was evaluated."""
    collect = "make sure that Dagster's daemon runs, or that `whalefall collect` is called every night."
    closed, evaluated = last_closed_day(examined.store, now), last_evaluation(examined.store)
    if closed is None:
        first_day = first_expected_day(examined.store)
        if first_day is not None and first_day < examined.today - timedelta(days=1):
            when = "was closed in the last two weeks" if evaluated else "has been closed since the first server was registered"
            yield problem("alerts", f"no day {when}.", collect)
        return
    due_from = examined.settings.of(AlertSettings).alerts_from_hour
    is_evaluated = evaluated is not None and evaluated.day >= closed.day
    if not is_evaluated and now - closed.closed_at > STALE:
        step = "make sure that Dagster's daemon runs, or run `whalefall alerts send` from cron."
        last = f"evaluated last for {evaluated.day}" if evaluated else "never evaluated"
        sentence = f"the alert rules were {last}, although {closed.day} is closed."
        yield problem("alerts", sentence, step)
    local = now.astimezone(examined.store.timezone)
    due_day = local.date() - timedelta(days=local.hour < due_from)
    if closed.day < due_day:
        yield problem("alerts", f"the last closed day is {closed.day}, although every night is to be over by {due_from:02}:00.", collect)
