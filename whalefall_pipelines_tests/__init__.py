"""Tests, in the folders of the package; `servers/` starts real and faulty servers, `benchmarks/` prints ratios."""
