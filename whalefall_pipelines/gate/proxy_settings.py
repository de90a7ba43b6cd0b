"""The trusted proxy and the rates of callers, from the settings."""

from whalefall_pipelines.gate.callers import TrustedProxy
from whalefall_pipelines.gate.limits import Rates
from whalefall_pipelines.settings import Settings


def proxy_of(_settings: Settings) -> TrustedProxy | None:
    """The proxy that is trusted to sign people in; None if there is none."""
    return None


def rates_of(_settings: Settings) -> Rates:
    """How many requests each caller may make."""
    return Rates()
