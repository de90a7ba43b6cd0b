"""Tests of table sizes: what is stored, and what the command answers."""
