"""The definition of an area: the class of the `AREA` in each area's `__init__.py`. `areas.py` lists the areas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from whalefall_pipelines.domain.months import PartitionedTable

# Name, PostgreSQL type and description of a column.
Column = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Area:
    """What an area provides. Modules are imported on demand: a command must not wait for Dagster, nor Dagster for the terminal.

    `commands` are commands of `whalefall`, each in the module `cli/<command>.py`, with the first sentence of their help, so that
    `whalefall --help` imports none of them. `extends` are groups of commands of other areas, to which the `COMMANDS` of the module
    `cli/<group>.py` are added: an area may not know those after it. With `has_definitions` the module `definitions.py` has
    `DEFINITIONS` for Dagster, and `automations` lists its schedules and sensors. With `has_settings` the module `settings.py` has its
    group of settings, `SETTINGS`. With `has_doctor_checks` the module `doctor_checks.py` has a function `check`. With `has_follow_up` the
    module `follow_up.py` has a function `follow_up`, which does at once what Dagster's daemon would do for the area after a day was
    collected. With `has_grants` the statement `sql/<area>/grants.sql` grants privileges beyond reading, inserting and updating to the roles
    of the store. With `has_router` the module `api.py` has `ROUTES` of the HTTP API. With `has_metrics` the module `metrics.py` has a
    function `read_metrics`, which reads what Prometheus is told of the area.
    `columns` documents public tables. `questions` are the names of further questions that the area asks the monitored servers
    (`fleet/<question>.py`); the connection test tells what each of them needs.
    """

    package: str
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    extends: tuple[str, ...] = ()
    has_definitions: bool = False
    automations: tuple[str, ...] = ()
    has_settings: bool = False
    has_doctor_checks: bool = False
    has_follow_up: bool = False
    has_grants: bool = False
    has_router: bool = False
    has_metrics: bool = False
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=dict[str, tuple[Column, ...]])
    partitioned_tables: tuple[PartitionedTable, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.package.rpartition(".")[2]

    def load(self, module: str) -> ModuleType:
        """Import a module of the area, by its path within the package.

        Raises:
            ModuleNotFoundError: the area has no such module.
        """
        return import_module(f"{self.package}.{module}")
