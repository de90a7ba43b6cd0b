"""The result of a benchmark: a figure with its target, measured side by side in one run. The list of figures is in `__main__.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that must not exceed its target; `detail` has the absolute numbers, for illustration only."""

    name: str
    value: float
    target: float
    unit: str
    detail: str

    @property
    def is_met(self) -> bool:
        """Within the target."""
        return self.value <= self.target

    def __str__(self) -> str:
        """One line of the report."""
        ending_of = "ok     " if self.is_met else "NOT MET"
        return f"{ending_of}  {self.name:<44} {self.value:8.2f} {self.unit:<3} (target at most {self.target:g})  {self.detail}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways of doing the same, in seconds, one pair per round."""

    ours: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median over the rounds of how many times longer ours took."""
        return median(ours / floor for ours, floor in zip(self.ours, self.floor, strict=True))

    def __str__(self) -> str:
        """The medians."""
        return f"{median(self.ours):.3f} s against {median(self.floor):.3f} s, {len(self.ours)} rounds"


def alternate(ours: Callable[[], float], floor: Callable[[], float], rounds: int) -> Comparison:
    """Measure both alternately, each going first in turn; each returns the seconds it took. A warm-up round does not count."""
    pairs: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            second = floor()
            pairs.append((ours(), second))
        else:
            first = ours()
            pairs.append((first, floor()))
    return Comparison(tuple(pair[0] for pair in pairs[1:]), tuple(pair[1] for pair in pairs[1:]))
