"""The doctor's checks of alerts: rules are evaluated, messages arrive, and channels can be reached."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from whalefall_pipelines.alerts.configure import list_channels
from whalefall_pipelines.alerts.deliver import unreadable_channels
from whalefall_pipelines.alerts.evaluate import last_closed_day, last_evaluation
from whalefall_pipelines.alerts.handle import list_undelivered
from whalefall_pipelines.alerts.settings import AlertSettings
from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, problem, warning

# The rules of a closed day are evaluated within a day; two more hours are patience.
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
        yield fine("alerts", f"{len(channels)} channels, and nothing is undelivered." if channels else nobody)


def check_evaluation(examined: Examined, now: datetime) -> Iterator[Outcome]:
    """A night that is over was evaluated, and nights end."""
    closed, evaluated = last_closed_day(examined.store, now), last_evaluation(examined.store)
    if closed is None:
        return
    due_from = examined.settings.of(AlertSettings).alerts_from_hour
    is_evaluated = evaluated is not None and evaluated.day >= closed.day
    if not is_evaluated and now - closed.closed_at > STALE:
        step = "make sure that Dagster's daemon runs, or run `whalefall alerts send` from cron."
        sentence = f"the rules of alerts were not evaluated since {evaluated.day if evaluated else 'ever'}; {closed.day} is closed."
        yield problem("alerts", sentence, step)
    if now - closed.closed_at > STALE:
        step = "make sure that Dagster's daemon runs, or that `whalefall collect` is called every night."
        yield warning("alerts", f"the last closed day is {closed.day}; a night is expected by {due_from:02}:00.", step)
