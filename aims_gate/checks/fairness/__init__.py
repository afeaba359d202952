"""Bias between groups."""
