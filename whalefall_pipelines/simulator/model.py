"""What is simulated: its size, its faults, and the servers that follow from a seed. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import InputError

# Names that break what does not quote, escape or encode them.
HOSTILE_NAMES = (
    "Mixed Case; 日本",
    'quote\'d "twice"',
    "back\\slash\tand tab",
    "<script>alert(1)</script>",
    "%s %(name)s {0}",
    "emoji 🐋 ünï",
    "a/b|c*d",
    "-- drop table",
)
ENGINES: Mapping[Engine, float] = {Engine.POSTGRESQL: 0.5, Engine.MYSQL: 0.2, Engine.SQLSERVER: 0.2, Engine.ORACLE: 0.1}
_SCHEMES = ("prod", "prod", "prod", "test", "dev")
_TEAMS = ("orders", "payments", "search", "web", "analytics", "platform")
_GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, in shares.

    Of the servers: `dead` refuse connections today, `hanging` answer nothing today. Of a server's days: `away` it could not be reached.
    Of all days: `missed` nothing ran. Of the databases: `dropped` during the history, `forbidden` without a privilege today.
    """

    dead: float = 0.01
    hanging: float = 0.002
    away: float = 0.005
    missed: float = 0.005
    dropped: float = 0.03
    forbidden: float = 0.002


def parse_faults(text: str) -> Faults:
    """Faults that are written as NAME=SHARE,…; `none` is none at all, and what is not named keeps its default.

    Raises:
        InputError: a name is unknown, or a share is not a number from 0 to 1.
    """
    names = tuple(Faults.__dataclass_fields__)
    if text == "none":
        return Faults(*(0.0 for _ in names))
    shares: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, share = part.partition("=")
        if name.strip() not in names:
            raise InputError(f"There is no fault {name.strip()!r}; write NAME=SHARE of {', '.join(names)}, or none.")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            shares[name.strip()] = -1.0
        if not 0 <= shares[name.strip()] <= 1:
            raise InputError(f"The share of {name.strip()} is {share!r}; it must be a number from 0 to 1.")
    return Faults(**shares)


@dataclass(frozen=True, slots=True)
class Simulation:
    """The fleet to be made. The same values make the same bytes. `latency_seconds` is the mean duration of a probe."""

    servers: int
    databases: int
    days: int
    last_day: date
    seed: int = 1
    faults: Faults = field(default_factory=Faults)
    latency_seconds: float = 0.02

    @property
    def first_day(self) -> date:
        """The first day of the history."""
        return self.last_day - timedelta(days=self.days - 1)

    def dice(self, *place: int) -> np.random.Generator:
        """The random numbers of one place of the simulation, which do not depend on any other place."""
        return np.random.default_rng((self.seed, *place))


@dataclass(frozen=True, slots=True)
class SimulatedServer:
    """One server, as it is registered, and how it behaves on the last day."""

    name: str
    engine: Engine
    host: str
    port: int
    tags: Mapping[str, str]
    capacity_limit_bytes: int | None
    database_names: tuple[str, ...]
    latency_seconds: float
    is_dead: bool
    hangs: bool


def simulate_servers(simulation: Simulation) -> list[SimulatedServer]:
    """Every server of a simulation."""
    return [_server(simulation, number) for number in range(1, simulation.servers + 1)]


def _server(simulation: Simulation, number: int) -> SimulatedServer:
    dice, faults = simulation.dice(0, number), simulation.faults
    engine = list(ENGINES)[int(dice.choice(len(ENGINES), p=list(ENGINES.values())))]
    trouble = float(dice.random())
    tags = {"env": _SCHEMES[int(dice.integers(len(_SCHEMES)))], "team": _TEAMS[int(dice.integers(len(_TEAMS)))], "simulated": "yes"}
    names = [f"{tags['team']}_{index:03}" for index in range(1, simulation.databases + 1)]
    if number % 10 == 0:  # every tenth server has a database that tries to break us
        names[-1] = HOSTILE_NAMES[number // 10 % len(HOSTILE_NAMES)]
    return SimulatedServer(
        name=f"sim-{number:05}",
        engine=engine,
        host=f"sim-{number:05}.invalid",
        port=engine.default_port,
        tags=tags,
        capacity_limit_bytes=int(dice.integers(1, 50)) * 100 * _GIBIBYTE if dice.random() < 0.5 else None,
        database_names=tuple(names),
        latency_seconds=simulation.latency_seconds * float(dice.uniform(0.5, 1.5)),
        is_dead=trouble < faults.dead,
        hangs=faults.dead <= trouble < faults.dead + faults.hanging,
    )
