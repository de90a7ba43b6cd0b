"""Prices of storage, by the tags of servers, as the setting WHALEFALL_PRICES has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from whalefall_pipelines.errors import InputError


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of one GiB for a month: of servers with a tag (key, value, price), the first that fits, and of all others."""

    by_tag: tuple[tuple[str, str, Decimal], ...] = ()
    default: Decimal | None = None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.by_tag) or self.default is not None


def parse_prices(text: str) -> Prices:
    """The prices of a text such as `env=prod:0.12,env=dev:0.05,0.08`, whose part without a tag is of all other servers.

    Raises:
        InputError: it is no such text.
    """
    by_tag: list[tuple[str, str, Decimal]] = []
    default: Decimal | None = None
    for part in filter(None, (part.strip() for part in text.split(","))):
        tag, colon, price = part.rpartition(":")
        key, equals, value = tag.partition("=")
        if colon and not (key and equals and value):
            raise _refused(part)
        if colon:
            by_tag.append((key, value, _price(price, part)))
        else:
            default = _price(part, part)
    return Prices(tuple(by_tag), default)


def parameters(prices: Prices) -> dict[str, Sequence[object] | Decimal | None]:
    """The prices as parameters of a statement."""
    return {
        "keys": [key for key, _, _ in prices.by_tag],
        "tag_values": [value for _, value, _ in prices.by_tag],
        "prices": [price for _, _, price in prices.by_tag],
        "default_price": prices.default,
    }


def _price(text: str, part: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise _refused(part) from None
    if not price.is_finite() or price < 0:
        raise _refused(part)
    return price


def _refused(part: str) -> InputError:
    return InputError(f"WHALEFALL_PRICES has {part!r}; write KEY=VALUE:PRICE for a tag, or PRICE for all other servers, like 0.08.")
