"""Drift between the reference and the current data."""
