"""Arrays of series (rows) by days (columns). An unknown size is NaN: nothing is put in its place before it is fitted or scored."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def numbers(values: Floats, axis: int) -> Integers:
    """The numbers 0, 1, 2, … of the rows (axis 0) or the columns (axis 1)."""
    return np.arange(int(values.shape[axis]))


def known_median(values: Floats) -> Floats:
    """The median of the known values along the last axis; NaN where none is known."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)  # NaN is last
    count = (~np.isnan(ordered)).sum(axis=-1)[..., None]
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    return ((lower + upper) / 2)[..., 0]


def last_known(sizes: Floats) -> tuple[Floats, Integers]:
    """The newest known value of each row, and how many days old it is; NaN and the number of columns where none is known."""
    known = ~np.isnan(sizes[:, ::-1])
    ages = np.where(known.any(axis=1), known.argmax(axis=1), len(numbers(sizes, 1)))
    columns = np.maximum(sizes.shape[1] - 1 - ages, 0)
    return np.take_along_axis(sizes, columns[:, None], axis=1)[:, 0], ages


def first_known(sizes: Floats) -> tuple[Floats, Integers]:
    """The oldest known value of each row, and its column; NaN and 0 where none is known."""
    columns = (~np.isnan(sizes)).argmax(axis=1)
    return np.take_along_axis(sizes, columns[:, None], axis=1)[:, 0], columns


def carried(sizes: Floats) -> tuple[Floats, Integers]:
    """Each day's newest known value up to that day, and its column; NaN before the first one."""
    columns = np.maximum.accumulate(np.where(np.isnan(sizes), 0, numbers(sizes, 1)), axis=1)
    return np.take_along_axis(sizes, columns, axis=1), columns
