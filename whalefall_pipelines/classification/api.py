"""The routes of classes: which account is in which, by which rule and why. What names accounts needs access to them.

Rules are written with `whalefall rules`, which runs their examples; here they are read, checked and switched off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from whalefall_pipelines.accounts.api import DayOf, NamesOf, day_of
from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.filters import LARGEST_ID, TEXT
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import CallerOf, Launched, Services, ServicesOf, launch
from whalefall_pipelines.classification import assign, edit_rules
from whalefall_pipelines.classification.evaluate import Explanation
from whalefall_pipelines.classification.model import Axis, Classification, Member, RuleText, RuleVersion
from whalefall_pipelines.classification.read_classes import count_members, members_of, page_members
from whalefall_pipelines.classification.rule_files import check_rule
from whalefall_pipelines.classification.try_rules import explain_rule
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet import registered_instance

ROUTES = Routes("classes of accounts")
_PATH = "/accounts/classifications"
_AccountName = Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT, description="The account.")]
_RuleName = Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT, description="The rule.")]


@dataclass(frozen=True, slots=True)
class MemberView:
    """An account in a class. `by` is the rule, or who assigned it by hand; `valid_until` is the first day on which it no longer holds."""

    account_id: int
    classification_id: int
    rule_id: int | None
    instance_name: str
    account_name: str
    code: str
    axis: Axis
    risk_level: int
    assignment_type: str
    by: str
    rule_version: int | None
    notes: str | None
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class ExplainedView:
    """What a rule says of an account: the tree with true, false and unknown (null), and the fact behind each leaf."""

    rule_name: str
    engine: str
    is_of_engine: bool
    matches: bool
    explanation: Explanation


class AssignedAccount(BaseModel):
    """An account and the class that a person puts it into, or takes it out of."""

    model_config = ConfigDict(extra="forbid")

    instance_id: int = Field(ge=1, le=LARGEST_ID)
    account_name: str = Field(min_length=1, max_length=512, pattern=TEXT)
    code: str = Field(min_length=1, max_length=63, pattern=TEXT)


class NewAssignment(AssignedAccount):
    """An assignment by hand. `until` is the first day on which it no longer holds."""

    note: str = Field(min_length=1, max_length=2000, pattern=TEXT)
    until: date | None = None


class WrittenExpression(BaseModel):
    """The expression of a rule, version 4, for an engine."""

    model_config = ConfigDict(extra="forbid")

    engine: str = Field(max_length=63)
    expression: dict[str, Any]


class NamedRule(BaseModel):
    """A rule."""

    model_config = ConfigDict(extra="forbid")

    rule_name: str = Field(min_length=1, max_length=512, pattern=TEXT)


@ROUTES.get(_PATH)
def list_classifications(services: ServicesOf) -> tuple[Classification, ...]:
    """List the classes."""
    return edit_rules.list_classifications(services.reader)


@ROUTES.get(f"{_PATH}/rules")
def list_rules(services: ServicesOf) -> tuple[RuleVersion, ...]:
    """List the rules, each by its current version."""
    return edit_rules.list_rules(services.reader)


@ROUTES.get(f"{_PATH}/rule", problems=(404,))
def get_rule(
    services: ServicesOf,
    rule_name: _RuleName,
    version: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="An older version; the current one by default.")] = None,
) -> RuleVersion:
    """Show a version of a rule."""
    return edit_rules.show_rule(services.reader, rule_name, version)


@ROUTES.get(f"{_PATH}/members", needs_access=True, problems=(404,))
def list_classified_accounts(
    services: ServicesOf,
    paging: PagingOf,
    instance: NamesOf = None,
    code: Annotated[str | None, Query(max_length=63, pattern=TEXT, description="Only this class.")] = None,
    account_name: Annotated[str | None, Query(max_length=512, pattern=TEXT, description="Only accounts of this name.")] = None,
    as_of: DayOf = None,
) -> Page[MemberView]:
    """List which account is in which class on a day, since when, and by which rule."""
    day = day_of(services, as_of)
    wanted = members_of(services.reader, day, names=instance or (), code=code, account_name=account_name)
    after = paging.after_values("after_account", "after_class", "after_rule")
    members = page_members(services.reader, wanted, after, paging.parameters)
    total = count_members(services.reader, wanted) if paging.wants_total else None
    return paging.page_of(tuple(map(_view, members)), "account_id", "classification_id", "rule_id", total=total)


@ROUTES.get(f"{_PATH}/explain", needs_access=True, problems=(404,))
def explain_classification(
    services: ServicesOf,
    rule_name: _RuleName,
    instance_id: Annotated[int, Query(ge=1, le=LARGEST_ID, description="The server.")],
    account_name: _AccountName,
    as_of: DayOf = None,
) -> ExplainedView:
    """Explain what a rule says of an account, with the fact behind each leaf."""
    instance_name = registered_instance(services.reader, instance_id).entry.name
    rule = edit_rules.show_rule(services.reader, rule_name).text
    explained = explain_rule(services.reader, rule, instance_name, account_name, day_of(services, as_of))
    matches = explained.is_of_engine and explained.explanation.value is True
    return ExplainedView(rule.rule_name, rule.engine, explained.is_of_engine, matches, explained.explanation)


@ROUTES.post(f"{_PATH}/actions/classify", status=202, problems=(502,))
def classify_all_accounts(services: ServicesOf) -> Reply[Launched]:
    """Classify the accounts of today in Dagster."""
    day = services.today()
    launched = launch(services, Run("classify_accounts", SyncCategory.CLASSIFICATION, day, day))
    return Reply(launched, "launched", 202, {"Location": launched.session_url})


@ROUTES.post(f"{_PATH}/assignments", needs_access=True, problems=(404,))
def assign_account(services: ServicesOf, caller: CallerOf, body: NewAssignment) -> Reply[None]:
    """Put an account into a class by hand. Every evaluation respects it, and a check takes it as announced."""
    name, day = _instance_name(services, body), services.today()
    assign.assign(services.writer, name, body.account_name, body.code, day, person=caller.name, note=body.note, until=body.until)
    return Reply(None, f"{name}/{body.account_name} is in {body.code} from {day} on.")


@ROUTES.post(f"{_PATH}/assignments/actions/end", needs_access=True, problems=(404,))
def unassign_account(services: ServicesOf, body: AssignedAccount) -> Reply[None]:
    """End an assignment by hand. What rules say of the account stays."""
    name = _instance_name(services, body)
    assign.unassign(services.writer, name, body.account_name, body.code, services.today())
    return Reply(None, f"{name}/{body.account_name} is in {body.code} by hand no longer.")


@ROUTES.post(f"{_PATH}/rules/actions/validate-expression")
def validate_expression(body: WrittenExpression) -> Mapping[str, Any]:
    """Check the expression of a rule without saving it; the answer is what would be stored."""
    try:
        return check_rule(RuleText("", "", body.engine, body.expression)).expression
    except InputError as error:
        raise InputError(f"{error}.") from error


@ROUTES.post(f"{_PATH}/rules/actions/disable", Scope.ADMIN, problems=(404,))
def disable_rule(services: ServicesOf, body: NamedRule) -> Reply[None]:
    """Switch a rule off. The next evaluation ends its assignments."""
    disabled = edit_rules.disable_rule(services.writer, body.rule_name)
    return Reply(None, f"The rule {disabled.rule_name} is off; the next evaluation ends what it assigned.")


def _instance_name(services: Services, body: AssignedAccount) -> str:
    return registered_instance(services.reader, body.instance_id).entry.name


def _view(member: Member) -> MemberView:
    return MemberView(
        member.account_id,
        member.classification_id,
        member.rule_id,
        member.instance_name,
        member.account_name,
        member.code,
        member.axis,
        member.risk_level,
        member.assignment_type,
        member.rule_name or member.assigned_by,
        member.rule_version,
        member.notes,
        member.valid_from,
        member.valid_until,
    )
