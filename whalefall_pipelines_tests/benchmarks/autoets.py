"""The opponent of our forecasts, in a process of its own: AutoETS of statsforecast, without a season the best library that was tried.

`python autoets.py SIZES FORECASTS` reads an array of series by days and writes what is forecast for each of the next 90 days; it prints the
CPU seconds. Its packages are those of `opponent.txt`, which `make bench` installs in `.venv/opponent`.
"""

import sys
import time

import numpy as np
from numpy.typing import NDArray
from statsforecast.models import AutoETS  # pyright: ignore[reportMissingImports] - only in its own folder

_DAYS_AHEAD = 90


def forecast(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The forecast of one series. Unknown days are on the straight line between their neighbours, because AutoETS takes no holes."""
    days, known = np.arange(len(sizes)), ~np.isnan(sizes)
    bridged = np.interp(days, days[known], sizes[known])
    unit = bridged.max()
    return np.maximum(AutoETS(season_length=1).forecast(y=bridged / unit, h=_DAYS_AHEAD)["mean"] * unit, 0)


if __name__ == "__main__":
    begun = time.process_time()
    np.save(sys.argv[2], [forecast(sizes) for sizes in np.load(sys.argv[1])])
    print(time.process_time() - begun)
