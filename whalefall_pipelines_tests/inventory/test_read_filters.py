"""The filter file of an installation."""

from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, Engine
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.settings import Settings, load_settings


def configured(home: Path, path: Path | None) -> Settings:
    return load_settings({"WHALEFALL_HOME": str(home)} | ({} if path is None else {"WHALEFALL_FILTERS_FILE": str(path)}))


def test_without_a_file_only_system_databases_are_left_out(tmp_path: Path) -> None:
    assert read_filters(configured(tmp_path, None)) == SYSTEM_DATABASES


def test_a_file_adds_to_them(tmp_path: Path) -> None:
    path = tmp_path / "filters.yaml"
    path.write_text("mysql: {names: [scratch]}", encoding="utf-8")
    filters = read_filters(configured(tmp_path, path))[Engine.MYSQL]
    assert [filters.hides(name) for name in ("scratch", "sys", "app")] == [True, True, False]


def test_a_file_names_accounts_that_count_as_the_servers_own(tmp_path: Path) -> None:
    path = tmp_path / "filters.yaml"
    path.write_text("postgresql:\n  accounts: {names: [backup_agent], patterns: ['cloud%']}", encoding="utf-8")
    filters = read_filters(configured(tmp_path, path))[Engine.POSTGRESQL]
    matched = [filters.accounts.matches(name) for name in ("backup_agent", "cloudsqladmin", "rdsadmin", "alice")]
    assert matched == [True, True, True, False]  # rdsadmin is shipped
    assert not filters.hides("backup_agent")
    path.write_text("postgresql:\n  accounts: {nams: [backup_agent]}", encoding="utf-8")
    with pytest.raises(InputError, match="unknown key"):
        read_filters(configured(tmp_path, path))


def test_a_bad_file_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "filters.yaml"
    path.write_text("mysql:\n  nams: [scratch]", encoding="utf-8")
    with pytest.raises(InputError, match=r"filters\.yaml, line 2: mysql has an unknown key"):
        read_filters(configured(tmp_path, path))
    with pytest.raises(InputError, match=r"WHALEFALL_FILTERS_FILE cannot be used: .*gone"):
        read_filters(configured(tmp_path, tmp_path / "gone"))
