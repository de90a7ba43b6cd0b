"""What the environment may say, and what it may not."""

from pathlib import Path

import pytest

from whalefall_pipelines import settings
from whalefall_pipelines.errors import InputError


def test_awr_is_licensed_only_where_somebody_says_so(tmp_path: Path) -> None:
    given = {"WHALEFALL_HOME": str(tmp_path)}
    assert not settings.load(given).oracle_awr_licensed
    assert not settings.load(given | {"WHALEFALL_ORACLE_AWR_LICENSED": "no"}).oracle_awr_licensed
    assert settings.load(given | {"WHALEFALL_ORACLE_AWR_LICENSED": "yes"}).oracle_awr_licensed
    for doubtful in ("true", "1", "YES", "maybe"):
        with pytest.raises(InputError, match=r"WHALEFALL_ORACLE_AWR_LICENSED is '.*'; it must be yes or no"):
            settings.load(given | {"WHALEFALL_ORACLE_AWR_LICENSED": doubtful})
