"""Who sent a request: by a token, by the cookie of a browser that signed in, or by a proxy that is trusted to sign people in."""

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from whalefall_pipelines.api import tokens
from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.api_base.services import Services

COOKIE = "whalefall"
# How long a token that was found is not looked up again: a revoked one ends within this time.
REMEMBERED_SECONDS = 2.0
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class TrustedProxy:
    """A proxy that signs people in and names them in a header. Only requests from its addresses count.

    `scopes` maps the groups of a second header to scopes; a person without a mapped group may not pass. Members of `access_groups` may
    read accounts.
    """

    user_header: str
    groups_header: str
    addresses: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    scopes: Mapping[str, Scope]
    access_groups: frozenset[str] = frozenset()

    def caller(self, peer: str, headers: Mapping[str, str]) -> Caller | None:
        """The person that this proxy names; None if it names nobody, or is another one."""
        name = headers.get(self.user_header.lower(), "")
        if not name or not self.trusts(peer):
            return None
        groups = {group.strip() for group in headers.get(self.groups_header.lower(), "").split(",")}
        scopes = [self.scopes[group] for group in groups if group in self.scopes]
        if not scopes:
            return None
        return Caller(name[:200], max(scopes, key=list(Scope).index), bool(groups & self.access_groups))

    def trusts(self, peer: str) -> bool:
        """Whether requests from this address are the proxy's. A unix socket has no address and is reached by the proxy only."""
        if not peer:
            return True
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.addresses)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A caller, and whether a cookie or a proxy vouches for it: a browser sends both with requests of foreign pages, too."""

    caller: Caller
    is_browser: bool


@dataclass
class Callers:
    """Finds callers, and remembers those of tokens for two seconds."""

    services: Services
    proxy: TrustedProxy | None = None
    _remembered: dict[str, tuple[float, Caller]] = field(default_factory=dict[str, tuple[float, Caller]])

    def remembered(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> SignedIn | None:
        """The caller of a request, if no question to the store is needed."""
        secret, is_browser = credentials(headers)
        known = self._remembered.get(secret)
        if known and known[0] > time.monotonic():
            return SignedIn(known[1], is_browser)
        if self.proxy and not secret and (caller := self.proxy.caller(peer_of(scope), headers)):
            return SignedIn(caller, is_browser=True)
        return None

    def find(self, headers: Mapping[str, str]) -> SignedIn | None:
        """The caller of a request by its token or cookie; None if nobody has it.

        Raises:
            StoreError: the store failed.
        """
        secret, is_browser = credentials(headers)
        caller = tokens.find_caller(self.services.writer, secret, self.services.clock()) if secret else None
        if caller is None:
            return None
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[secret] = time.monotonic() + REMEMBERED_SECONDS, caller
        return SignedIn(caller, is_browser)

    def forget(self) -> None:
        """Look every token up again."""
        self._remembered.clear()


def credentials(headers: Mapping[str, str]) -> tuple[str, bool]:
    """The secret of a request, and whether it is a cookie. A token in a header has priority."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind:
        return (secret.strip() if kind.lower() == "bearer" else "", False)
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return "", False
    return (cookie.value, True) if cookie else ("", False)


def peer_of(scope: Mapping[str, Any]) -> str:
    """The address of the other end; empty for a unix socket."""
    client = scope.get("client")
    return client[0] if client and client[0] else ""
