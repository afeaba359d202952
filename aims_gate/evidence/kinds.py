"""The kinds of statements that the gate makes, by name: each with its predicate type."""

from __future__ import annotations

from collections.abc import Mapping

BASE = "https://aims-gate.dev/attestation/"
"""Everything that we state ourselves has a predicate type below this; such names are for ever."""
EVALUATION = f"{BASE}evaluation/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
KINDS: Mapping[str, str] = {"evaluation": EVALUATION, "test-result": TEST_RESULT, "vsa": SUMMARY}
"""Stem of a statement's file, and its predicate type."""
