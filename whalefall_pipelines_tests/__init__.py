"""Tests, in the folders of the package; `servers/` starts real and faulty servers, `benchmarks/` prints ratios."""

import pytest

# Failed assertions of what the test modules share say what was compared, too.
_SHARED = ("cli", "defs", "factories", "faults", "fleet", "local_servers", "servers", "services")
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _SHARED))
