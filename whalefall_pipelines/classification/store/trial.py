"""Evaluates one rule over the stored facts of any day, and writes nothing but a temporary table."""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.classification.model import RuleText
from whalefall_pipelines.classification.store.compile import parse_rule
from whalefall_pipelines.classification.store.evaluation import evaluate_together, stage_accounts
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database


def find_matches(database: Database, rule: RuleText, day: date) -> tuple[str, ...]:
    """The accounts for which the rule is true on a day, as instance/account.

    Raises:
        InputError: the expression is not valid, or its statement failed.
    """
    tree = parse_rule(rule.expression, rule.engine)
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        stage_accounts(cursor, day, None)
        if sentence := evaluate_together(cursor, {0: tree}, rule.engine, day):
            raise InputError(sentence)
        cursor.execute(queries.load("classification/list_matches"))
        return tuple(str(row[0]) for row in cursor.fetchall())
