"""Which stores are files of this machine, before anything opens them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.probe import open_probe
from aims_gate.registry.uris import local_store


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///mlflow.db", "mlflow.db"),
        ("sqlite:////srv/mlflow.db?timeout=5", "/srv/mlflow.db"),
        ("file:///srv/ml%20runs", "/srv/ml runs"),
        ("./mlruns", "mlruns"),
        ("databricks", None),
        ("databricks://profile", None),
        ("https://mlflow.example.com/x", None),
        ("postgresql://u:p@db/mlflow", None),
        ("", None),
    ],
)
def test_local_stores(uri: str, path: str | None) -> None:
    """Files and folders are told from servers, databases and names."""
    assert local_store(uri) == (None if path is None else Path(path))


def test_a_store_must_be_there(tmp_path: Path) -> None:
    """No store is made by looking at it, and none is guessed."""
    for uri in (f"sqlite:///{tmp_path}/none.db", f"{tmp_path}/none", f"file://{tmp_path}/none"):
        with pytest.raises(SourceError, match="no such MLflow store"):
            open_probe({"MLFLOW_TRACKING_URI": uri})
    with pytest.raises(UsageError, match="is not set"):
        open_probe({})
    assert not list(tmp_path.iterdir())
