"""The classification area in the store: `rules.py` has the rules, `compile.py` and `evaluation.py` run them, `reports.py` reads."""
