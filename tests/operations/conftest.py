"""MLflow, as a training job uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Store


@pytest.fixture
def mlflow(mlflow_store: Store) -> Iterator[Any]:
    """MLflow, pointed at a store of this test's own."""
    import mlflow

    mlflow.set_tracking_uri(mlflow_store.uri)
    try:
        yield mlflow
    finally:
        while mlflow.active_run():
            mlflow.end_run()
        mlflow.set_tracking_uri(None)
