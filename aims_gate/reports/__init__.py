"""Verdict to text, pure."""
