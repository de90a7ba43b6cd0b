"""Evaluates one rule over the stored facts of any day, and writes nothing but a temporary table."""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.classification.functions import SIGNATURES
from whalefall_pipelines.classification.model import RuleText
from whalefall_pipelines.classification.store.compile import compile_expression, rule_statement
from whalefall_pipelines.classification.store.evaluation import stage_accounts
from whalefall_pipelines.classification.tree import parse_expression
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database


def find_matches(database: Database, rule: RuleText, day: date) -> tuple[str, ...]:
    """The accounts for which the rule is true on a day, as instance/account.

    Raises:
        InputError: the expression is not valid, or its statement failed.
    """
    condition = compile_expression(parse_expression(rule.expression, SIGNATURES), rule.engine)
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        stage_accounts(cursor, day, None)
        if sentence := cursor.attempt(rule_statement(condition), {**condition.parameters, "rule_id": 0, "engine": rule.engine, "day": day}):
            raise InputError(sentence)
        cursor.execute(queries.load("classification/list_matches"))
        return tuple(str(row[0]) for row in cursor.fetchall())
