"""Tests of growth: the waterfall against a model, the command, and the asset."""
