"""Reads which databases are excluded, and which accounts count as a server's own: what is shipped, and what WHALEFALL_FILTERS_FILE adds.

`domain/instances.py` defines filters; `fleet_file.py` parses the file.
"""

from collections.abc import Mapping

from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, DatabaseFilter, Engine
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet_file import parse_filters
from whalefall_pipelines.inventory.read_text_file import read_text_file
from whalefall_pipelines.inventory.settings import InventorySettings
from whalefall_pipelines.settings import Settings


def read_filters(settings: Settings) -> Mapping[Engine, DatabaseFilter]:
    """The filter of every engine.

    Raises:
        InputError: the filter file cannot be used; the message has the line.
    """
    path = settings.of(InventorySettings).filters_file
    if path is None:
        return SYSTEM_DATABASES
    try:
        return parse_filters(read_text_file(path), str(path))
    except InputError as error:
        raise InputError(f"WHALEFALL_FILTERS_FILE cannot be used: {error}") from error
