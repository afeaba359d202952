"""Signed statements about a verdict: their kinds, layout, writing, reading and verification."""
