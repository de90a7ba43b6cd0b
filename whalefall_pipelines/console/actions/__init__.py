"""What a person may do on the pages, one module an area. `act.py` carries an action out through the API."""

from collections.abc import Mapping

from whalefall_pipelines.console.actions import alerts, fleet, partitions, sessions, tokens
from whalefall_pipelines.console.actions.action import Action

_MODULES = (alerts, fleet, partitions, sessions, tokens)
ACTIONS: Mapping[str, Action] = {action.name: action for module in _MODULES for action in module.ACTIONS}
