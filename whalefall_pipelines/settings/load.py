"""Reads the settings from the environment, then from `settings.env` in the home folder (plain KEY=value lines).

Only the entry points (commands and Dagster definitions) call `load_settings`; other code gets a `Settings`.
"""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from dotenv import dotenv_values

from whalefall_pipelines.areas import areas
from whalefall_pipelines.home import find_home
from whalefall_pipelines.settings.group import PREFIX, Group
from whalefall_pipelines.settings.model import PasswordSettings, Settings, UnknownVariable

# Options of the command `whalefall`, which has no installation with --server.
COMMAND_VARIABLES = {"WHALEFALL_SERVER", "WHALEFALL_TOKEN", "WHALEFALL_TOKEN_FILE"}


def groups() -> tuple[type[Group], ...]:
    """Every group of settings: those of the installation, then those of the areas."""
    return (Settings, PasswordSettings, *(area.load("settings").SETTINGS for area in areas() if area.has_settings))


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        InputError: a variable has an invalid value; the message names it.
    """
    variables = dict(os.environ if environment is None else environment)
    home = find_home(variables)
    saved = {name: value for name, value in dotenv_values(home / "settings.env").items() if value is not None}
    values = saved | {name: value for name, value in variables.items() if value != ""}
    known = {variable for group in groups() for variable in group.variables()} | COMMAND_VARIABLES
    others = {group: group.read(values) for group in groups() if group is not Settings}
    return Settings.read(values, home=home, groups=others, unknown_variables=tuple(_unknown(values, known)))


def _unknown(values: Iterable[str], known: Iterable[str]) -> Iterable[UnknownVariable]:
    names = {variable.removeprefix(PREFIX): variable for variable in known}  # without the prefix, which would make all of them similar
    for name in sorted(name for name in values if name.startswith(PREFIX) and name not in names.values()):
        nearest = get_close_matches(name.removeprefix(PREFIX), list(names), 1, 0.7)
        yield UnknownVariable(name, names[nearest[0]] if nearest else None)
