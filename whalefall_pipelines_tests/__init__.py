"""Tests, in the same folders as the package; `servers/` starts real and faulty servers, `benchmarks/` prints ratios."""

import pytest

# Assertions in the shared helpers also show what they compared.
_SHARED = ("cli", "defs", "factories", "faults", "fleet", "local_servers", "servers", "services")
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _SHARED))
