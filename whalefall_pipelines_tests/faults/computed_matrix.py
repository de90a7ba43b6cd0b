"""The faults of runs that only compute from what is stored: classes of accounts, forecasts. Part of the matrix (`matrix.py`)."""

from dataclasses import replace

from whalefall_pipelines_tests.faults.fault import DIED, STORE, Fault, Where

STORED = (STORE,)
CLASSIFYING = "classifying accounts killed with -9 while "
CLASSIFICATION_KILLS = tuple(
    Fault(
        f"{CLASSIFYING}{step}",
        STORED,
        "the command says so, its session is failed, and every account has its old classes, or every account its new ones",
        "The next run classifies all accounts.",
        says="killed by signal 9",
        where=Where.PROCESS,
        slow_at=STORED,
        ends_run=True,
    )
    for step in (
        "opening its session",
        "ending classes",
        "beginning classes",
        "counting",
        "closing its records",
        "committing",
        "closing its session",
    )
)
CLASSIFICATION_KILLED_UNDER_THE_DAEMON = replace(
    CLASSIFICATION_KILLS[0],
    name="classifying accounts killed with -9 under the daemon",
    sees="its session is failed, and every account has its old classes",
    heals="The sensors end its session within five minutes, and then launch it again, at most three times.",
    code=DIED,
    says="was ended because",
    where=Where.DAEMON,
)
FORECASTING = "making forecasts killed with -9 while "
FORECAST_KILLS = tuple(
    Fault(
        f"{FORECASTING}{step}",
        STORED,
        "its session is failed, and of each group of servers there are all forecasts, scores and changes of the day, or none",
        "The next run, or `whalefall forecasts make`, makes the others, to the byte as if nothing had happened.",
        says="killed by signal 9",
        where=Where.PROCESS,
        slow_at=STORED,
        ends_run=True,
    )
    for step in (
        "opening its session",
        "writing forecasts",
        "writing scores",
        "writing changes",
        "deleting superseded forecasts",
        "committing",
        "closing its session",
    )
)
FORECASTS_KILLED_AT_THE_COMMAND = Fault(
    "`whalefall forecasts make` of a past day killed with -9",
    STORED,
    "nothing: the forecasts of the day are as before",
    "The same command makes them, to the byte as they were made on their day.",
    where=Where.PROCESS,
    slow_at=STORED,
)
FORECASTS_KILLED_UNDER_THE_DAEMON = replace(
    FORECAST_KILLS[0],
    name="making forecasts killed with -9 under the daemon",
    heals="The sensors end its session within five minutes, and Dagster repeats the run once.",
    code=DIED,
    says="was ended because",
    where=Where.DAEMON,
)
COMPUTED_FAULTS = (
    *CLASSIFICATION_KILLS,
    CLASSIFICATION_KILLED_UNDER_THE_DAEMON,
    *FORECAST_KILLS,
    FORECASTS_KILLED_AT_THE_COMMAND,
    FORECASTS_KILLED_UNDER_THE_DAEMON,
)
