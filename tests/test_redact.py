"""Secrets go, everything else stays."""

from __future__ import annotations

import pytest

from aims_gate.redact import redact, redact_all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p@host/a", "https://host/a"),
        ("https://u:p@ss@host/a", "https://host/a"),
        ("x=%3A%2F%2Fu%3Ap%40host", "x=%3A%2F%2Fhost"),
        ("s3://b/k?X-Amz-Signature=abc&x=1", "s3://b/k?X-Amz-Signature=[redacted]&x=1"),
        ("a?api_key=abc def", "a?api_key=[redacted] def"),
        ("AKIAABCDEFGHIJKLMNOP.", "[redacted]."),
        ("dapi0123456789abcdef0123456789", "[redacted]"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "[redacted]"),
    ],
)
def test_secrets_go(text: str, expected: str) -> None:
    """User information, tokens in queries, known shapes, keys."""
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail a@b.example about https://host/a@b",
        "pkg:mlflow/cr@7?repository_url=https%3A%2F%2Fmlflow.example",
        "0.81 (95 % 0.79-0.83) >= 0.80, n=1,212",
        "sha256:" + "ab" * 32,
        "the basic rule",
    ],
)
def test_usual_text_stays(text: str) -> None:
    """Digests, package URLs, mail addresses, numbers."""
    assert redact(text) == text


def test_trees_are_walked() -> None:
    """Values in lists and objects; keys, numbers and null stay."""
    tree = {"https://u:p@h": ["https://u:p@h", 1, None, {"a": "https://u:p@h"}]}
    assert redact_all(tree) == {"https://u:p@h": ["https://h", 1, None, {"a": "https://h"}]}
