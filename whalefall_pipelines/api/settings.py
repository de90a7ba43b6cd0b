"""The settings of the API and the gate before it."""

import ipaddress
from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings.group import Group


class ApiSettings(Group):
    """Who may ask how much, who may sign people in, and with which login reads are answered."""

    title: ClassVar[str] = "API"

    api_reads_per_second: int = Field(20, ge=1, le=1_000_000, description="Number of reads that a caller may make per second.")
    api_actions_per_minute: int = Field(10, ge=1, le=1_000_000, description="Number of actions that a caller may make per minute.")
    api_reader_url: str | None = Field(
        None,
        repr=False,
        description="URL of the store with a read-only login, which is used to answer reads.",
        examples=["the URL of the store; reads still cannot write"],
    )
    trusted_proxy_header: str | None = Field(
        None,
        description="Header in which a proxy passes the name of the person it signed in, such as X-Forwarded-User.",
        examples=["none: no proxy signs people in"],
    )
    trusted_proxy_groups_header: str = Field(
        "X-Forwarded-Groups", description="Header in which the proxy passes that person's groups.", examples=["`X-Forwarded-Groups`"]
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1", description="Addresses or networks of the proxy, separated by commas.", examples=["`127.0.0.1,::1`"]
    )
    trusted_proxy_scopes: str = Field(
        "",
        description="The scope of each group, such as `dba=admin,staff=read`. `group=access` allows reading accounts. People without a "
        "listed group are refused.",
        examples=["none"],
    )

    @property
    def proxy_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks of the proxy.

        Raises:
            InputError: one is not a network.
        """
        try:
            return tuple(ipaddress.ip_network(part.strip()) for part in self.trusted_proxies.split(",") if part.strip())
        except ValueError as error:
            raise InputError(f"WHALEFALL_TRUSTED_PROXIES: {error}; write addresses or networks, separated by commas.") from error

    @property
    def group_scopes(self) -> tuple[dict[str, Scope], frozenset[str]]:
        """The scope of each group, and the groups with access to accounts.

        Raises:
            InputError: a part is not GROUP=SCOPE.
        """
        pairs = [part.strip().rpartition("=") for part in self.trusted_proxy_scopes.split(",") if part.strip()]
        for group, _, scope in pairs:
            if not group or scope not in {*Scope, "access"}:
                raise InputError(
                    f"WHALEFALL_TRUSTED_PROXY_SCOPES has {group}={scope}; write GROUP=SCOPE with read, operate, admin or access."
                )
        scopes = {group: Scope(scope) for group, _, scope in pairs if scope != "access"}
        return scopes, frozenset(group for group, _, scope in pairs if scope == "access")


SETTINGS = ApiSettings
