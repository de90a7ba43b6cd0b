"""The days of simulated databases: sizes of `series.py`, less the days on which they did not exist or could not be measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.simulator.model import SimulatedServer, Simulation
from whalefall_pipelines.simulator.series import generate

# Changes of slope and births need room on both sides.
_LEAST_DAYS = 260
_AWAY_DAYS = 4


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """One database on one day: its bytes, or the reason why there are none."""

    server_name: str
    database_name: str
    stat_date: date
    total_bytes: int | None
    reason: Reason | None = None


def simulate_days(simulation: Simulation, servers: Sequence[SimulatedServer], group: int) -> Iterator[SimulatedDay]:
    """Every day of the databases of these servers, which are the ones of the group with this number."""
    missed = simulation.dice(1).random(simulation.days) < simulation.faults.missed
    missed[[0, -1]] = False
    known, measured = _sizes(simulation, sum(len(server.database_names) for server in servers), group)
    days = [simulation.first_day + timedelta(days=number) for number in range(simulation.days)]
    row = 0
    for server in servers:
        away = _away(simulation, int(server.name.rpartition("-")[2]))
        for name in server.database_names:
            for day, exists, size, is_away, is_missed in zip(days, known[row], measured[row], away, missed, strict=True):
                if not exists:
                    continue
                if is_missed:
                    yield SimulatedDay(server.name, name, day, None, Reason.NOT_COLLECTED)
                elif is_away:
                    yield SimulatedDay(server.name, name, day, None, Reason.CONNECTION_REFUSED)
                elif np.isnan(size):
                    yield SimulatedDay(server.name, name, day, None, Reason.TIMEOUT)
                else:
                    yield SimulatedDay(server.name, name, day, int(size))
            row += 1


def _sizes(simulation: Simulation, series: int, group: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """On which days each database exists, and its size on those, NaN where it is not measured."""
    generated_days = max(simulation.days, _LEAST_DAYS)
    seed = int(simulation.dice(2, group).integers(2**31))
    first_day = simulation.last_day - timedelta(days=generated_days - 1)
    fleet = generate(series, generated_days, seed=seed, birth_before=generated_days - 20, first_day=first_day)
    known = ~np.isnan(fleet.true[:, -simulation.days :])
    dice = simulation.dice(3, group)
    dropped = dice.random(series) < simulation.faults.dropped
    dropped_on = dice.integers(simulation.days // 2, simulation.days, series)
    known &= ~(dropped[:, None] & (np.arange(simulation.days)[None, :] >= dropped_on[:, None]))
    return known, fleet.sizes[:, -simulation.days :]


def _away(simulation: Simulation, number: int) -> NDArray[np.bool_]:
    """On which days a server could not be reached: runs of a few days, never the last one."""
    dice = simulation.dice(4, number)
    away = np.zeros(simulation.days, dtype=bool)
    for day in map(int, np.flatnonzero(dice.random(simulation.days) < simulation.faults.away / _AWAY_DAYS)):
        away[day : day + _AWAY_DAYS] = True
    away[-1] = False
    return away
