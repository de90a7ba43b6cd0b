"""Actions on the table partitions of the store: create a month, and clean up by a plan that was read."""

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.console.actions.action import Action, Data, Values
from whalefall_pipelines.console.blocks import Block, Field, Forms, Links, Page, Table, size, text
from whalefall_pipelines.domain.quantities import counted

_BACK = Links([text("Table partitions", "/partitions")])
_COLUMNS = ("Step", "Table", "Table partition", "Size", "Why", "Error")


def _steps(title: str, steps: Data) -> Table:
    rows = [
        (
            text(step["step"]),
            text(step["table_name"]),
            text(step["name"]),
            size(step["total_bytes"]),
            text(step["why"]),
            text(step["error"]),
        )
        for step in steps
    ]
    return Table("steps", title, _COLUMNS, rows, "There is nothing to do.")


def _created(data: Data, values: Values) -> Page:
    created = counted(len(data), "table partition was", "table partitions were")
    answer = f"{created} created." if data else f"Every table already has the month of {values['date']}."
    return Page("Create a month", answer, [_steps("Created", data), _BACK])


def _planned(data: Data, values: Values) -> Page:
    if data["is_done"]:
        failed = sum(step["error"] is not None for step in data["steps"])
        answer = f"{counted(len(data['steps']) - failed, 'step was', 'steps were')} carried out, {failed} failed."
        return Page("Clean up", answer, [_steps("Done", data["steps"]), _BACK])
    blocks: list[Block] = [_steps(f"Plan with a retention of {counted(data['retention_months'], 'month')}", data["steps"])]
    if data["steps"]:
        kept = {"retention_months": values["retention_months"]} if values.get("retention_months") else {}
        blocks.append(Forms([CARRY_OUT.form({"plan": data["digest"], "dry_run": "false", **kept})]))
    dropped = sum(step["drops"] for step in data["steps"])
    return Page("Clean up", f"{counted(dropped, 'table partition')} would be dropped. Nothing is dropped yet.", [*blocks, _BACK])


CREATE = Action(
    "create-month",
    "Create a month",
    "/partitions",
    _created,
    Scope.ADMIN,
    fields=(Field("date", "A day of the month", kind="date", is_required=True),),
    hint="The month is created in every table that does not have it yet.",
)
CLEAN_UP = Action(
    "clean-up",
    "Plan a cleanup",
    "/partitions/actions/cleanup",
    _planned,
    Scope.ADMIN,
    fields=(Field("retention_months", "Months of sizes to keep", kind="number", example="as set"),),
    hint="The plan is shown first; nothing is dropped until you confirm it.",
)
CARRY_OUT = Action("carry-out-cleanup", "Carry out this plan", "/partitions/actions/cleanup", _planned, Scope.ADMIN)
ACTIONS = (CREATE, CLEAN_UP, CARRY_OUT)
