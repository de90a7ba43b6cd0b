"""How the origin of a size is drawn, and what each shape means."""

from whalefall_pipelines.capacity.coverage import CoverageState
from whalefall_pipelines.console.charts.series import Mark

MARKS = {
    CoverageState.MEASURED: Mark.MEASURED,
    CoverageState.RECOVERED: Mark.RECOVERED,
    CoverageState.ESTIMATED: Mark.ESTIMATED,
    CoverageState.PARTLY_MISSING: Mark.MISSING,
    CoverageState.MISSING: Mark.MISSING,
}

MARK_LEGEND = (
    ('<g class="mark measured"><circle cx="7" cy="7" r="3"/></g>', "measured"),
    ('<g class="mark held"><rect x="4" y="4" width="6" height="6"/></g>', "held: a silent server counts with its newest total"),
    ('<g class="mark recovered"><circle cx="7" cy="7" r="4"/></g>', "recovered from the server's own history"),
    ('<g class="mark estimated"><path d="M7 2L12 7L7 12L2 7Z"/></g>', "estimated between known days"),
    ('<g class="mark missing"><path d="M4 4L10 10M4 10L10 4"/></g>', "missing"),
)
