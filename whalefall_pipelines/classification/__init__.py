"""Classification: rules over the facts of accounts, and which account is in which class since when."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.classification.columns import COLUMNS

AREA = Area(
    __name__,
    commands={"rules": "Show and change the rules that put accounts into classes."},
    extends=("accounts",),
    has_definitions=True,
    has_router=True,
    automations=("refresh_classifications",),
    has_grants=True,
    columns=COLUMNS,
)
