"""Tests of workers in zones."""
