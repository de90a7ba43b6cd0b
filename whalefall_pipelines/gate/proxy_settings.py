"""The trusted proxy and the rates of callers, from the settings."""

from whalefall_pipelines.api.settings import ApiSettings
from whalefall_pipelines.gate.callers import TrustedProxy
from whalefall_pipelines.gate.limits import Rates
from whalefall_pipelines.settings import Settings


def proxy_of(settings: Settings) -> TrustedProxy | None:
    """The proxy that is trusted to sign people in; None if there is none.

    Raises:
        InputError: its addresses or the scopes of its groups cannot be read.
    """
    api = settings.of(ApiSettings)
    if api.trusted_proxy_header is None:
        return None
    scopes, access = api.group_scopes
    return TrustedProxy(api.trusted_proxy_header, api.trusted_proxy_groups_header, api.proxy_networks, scopes, access)


def rates_of(settings: Settings) -> Rates:
    """How many requests each caller may make."""
    api = settings.of(ApiSettings)
    return Rates(api.api_reads_per_second, api.api_actions_per_minute)
