"""Valid and invalid settings in the environment."""

import json
from pathlib import Path

import pytest

from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.capacity.settings import CapacitySettings
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines_tests.cli.commands import whalefall


def test_awr_is_used_only_where_it_is_declared_as_licensed(tmp_path: Path) -> None:
    variables = {"WHALEFALL_HOME": str(tmp_path)}
    assert not load_settings(variables).of(CapacitySettings).oracle_awr_licensed
    assert not load_settings(variables | {"WHALEFALL_ORACLE_AWR_LICENSED": "no"}).of(CapacitySettings).oracle_awr_licensed
    assert load_settings(variables | {"WHALEFALL_ORACLE_AWR_LICENSED": "yes"}).of(CapacitySettings).oracle_awr_licensed
    for doubtful in ("true", "1", "YES", "maybe"):
        with pytest.raises(InputError, match=r"WHALEFALL_ORACLE_AWR_LICENSED is '.*'; it must be yes or no"):
            load_settings(variables | {"WHALEFALL_ORACLE_AWR_LICENSED": doubtful})


def test_a_variable_that_nothing_reads_is_named_with_what_may_be_meant_and_without_its_value(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("WHALEFALL_RETENTION_MONTH=24\n")
    variables = {"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_DATABSE_URL": "postgresql://u:canary@h/d", "WHALEFALL_X": "1", "OTHER": "2"}
    assert [str(variable) for variable in load_settings(variables).unknown_variables] == [
        "WHALEFALL_DATABSE_URL is set, but whalefall does not read it: is WHALEFALL_DATABASE_URL meant?",
        "WHALEFALL_RETENTION_MONTH is set, but whalefall does not read it: is WHALEFALL_RETENTION_MONTHS meant?",
        "WHALEFALL_X is set, but whalefall does not read it: whalefall reads no variable with a similar name.",
    ]


def test_doctor_and_env_name_it(store_environment: dict[str, str]) -> None:
    environment = store_environment | {"WHALEFALL_TIMEZON": "UTC"}
    sentence = "WHALEFALL_TIMEZON is set, but whalefall does not read it: is WHALEFALL_TIMEZONE meant?"
    first, *_ = json.loads(whalefall(environment, "doctor", "--json", "--no-instances").stdout)
    assert (first["check"], first["severity"], first["found"]) == ("settings", "warning", sentence)
    assert sentence in whalefall(environment, "env").stderr


def test_periods_outlive_the_days_that_they_are_computed_from(tmp_path: Path) -> None:
    def load(months: str, aggregation_months: str) -> Settings:
        chosen = {"WHALEFALL_RETENTION_MONTHS": months, "WHALEFALL_AGGREGATION_RETENTION_MONTHS": aggregation_months}
        return load_settings({"WHALEFALL_HOME": str(tmp_path)} | chosen)

    assert load("12", "15").of(KeptMonthsSettings).aggregation_retention_months == 15
    for months, aggregation_months, least in (("12", "14", 15), ("12", "6", 15), ("60", "60", 63)):
        with pytest.raises(InputError, match=rf"AGGREGATION_RETENTION_MONTHS is {aggregation_months}.*RETENTION_MONTHS {months}.*{least}"):
            load(months, aggregation_months)
    with pytest.raises(InputError, match="WHALEFALL_AGGREGATION_RETENTION_MONTHS is 60"):
        load_settings({"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_RETENTION_MONTHS": "60"})
