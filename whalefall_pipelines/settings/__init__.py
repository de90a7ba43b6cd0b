"""All environment variables that whalefall reads, as typed settings. `model.py` has those of the installation, each room its own.

A setting stands in one place: the field of a group, with its type, default, range and meaning. The reference is made from it.
"""

from whalefall_pipelines.settings.load import load_settings
from whalefall_pipelines.settings.model import Settings
from whalefall_pipelines.settings.timezones import machine_timezone, read_timezone

__all__ = ["Settings", "load_settings", "machine_timezone", "read_timezone"]
