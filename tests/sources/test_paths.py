"""File URIs, and URIs without their secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.sources.paths import local_path, public_uri, recorded_uri


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("rows.csv", "rows.csv"),
        ("file:rows%20a.csv", "rows%20a.csv"),
        ("file:/data/rows.csv", "/data/rows.csv"),
        ("file:///data/rows%20a.csv", "/data/rows a.csv"),
        ("file://localhost/data/rows.csv", "/data/rows.csv"),
    ],
)
def test_only_the_long_form_is_percent_decoded(text: str, path: str) -> None:
    assert local_path(text) == Path(path)


def test_a_file_on_another_host_has_no_local_path() -> None:
    assert local_path("file://server/share/rows.csv") is None


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3://key:secret@bucket/a.csv?sig=secret#secret", "s3://bucket/a.csv"),
        ("https://secret@host:8443/x", "https://host:8443/x"),
        ("file:a.csv", "file:a.csv"),
        ("artifact:a.csv?token=secret", "artifact:a.csv"),
        ("http://[secret", "http:"),
    ],
)
def test_user_names_passwords_and_queries_are_not_shown(uri: str, shown: str) -> None:
    assert public_uri(uri) == shown


@pytest.mark.parametrize(
    ("uri", "recorded"),
    [
        ("file:/home/alice/models/credit", "file:credit"),
        ("file:///home/alice/rows%20of%20may.csv", "file:rows of may.csv"),
        ("file:data/rows.csv", "file:data/rows.csv"),
        ("s3://user:secret@bucket/eval/", "s3://bucket/eval/"),
        ("runs:/abc/aims_gate/evaluation.parquet", "runs:/abc/aims_gate/evaluation.parquet"),
    ],
)
def test_evidence_has_no_path_of_a_home_directory(uri: str, recorded: str) -> None:
    assert recorded_uri(uri) == recorded
