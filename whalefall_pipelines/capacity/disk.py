"""What fills the disk of a server, by parts and days, and the volumes that its files are on."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """A part of what fills the disk of a server; `part` is None for all of its databases together.

    `total_bytes` is None if it is unknown; then `detail` is the GRANT that is missing, or a message.
    """

    instance_name: str
    stat_date: date
    part: str | None
    total_bytes: int | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class VolumeOfDay:
    """A volume of a server on a day, in bytes."""

    instance_name: str
    stat_date: date
    volume: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The parts and volumes of one server on its newest measured day, and on the first day of a span that has them."""

    first_day: date
    last_day: date
    parts: tuple[PartOfDay, ...]
    volumes: tuple[VolumeOfDay, ...]

    @property
    def newest(self) -> tuple[PartOfDay, ...]:
        """The parts of the last day."""
        return tuple(part for part in self.parts if part.stat_date == self.last_day)

    @property
    def total_bytes(self) -> int | None:
        """The databases and all that belongs to none, on the last day; None if a part of it is unknown."""
        known = [part.total_bytes for part in self.newest if part.total_bytes is not None]
        return sum(known) if len(known) == len(self.newest) > 1 else None

    def change_bytes(self, part: PartOfDay) -> int | None:
        """The growth of a part since the first day that knows it; None if no other day does."""
        known = [before for before in self.parts if before.part == part.part and before.total_bytes is not None]
        if part.total_bytes is None or not known or known[0].stat_date == part.stat_date:
            return None
        return part.total_bytes - (known[0].total_bytes or 0)
