"""Sources of versions: what is frozen and proven is what MLflow hands out, now and later."""

from __future__ import annotations

import pytest
from mlflow.exceptions import MlflowException

from aims_gate.guard.artifact_paths import overlap, place
from tests.guard.conftest import InProcess
from tests.support.promoting import ALIAS


def test_a_source_that_can_become_another_one_does_not_go_live(inside: InProcess) -> None:
    """MLflow hands out what a chain led to when it was registered, and what a run has by then."""
    house, store, client = inside.house, inside.store, inside.house.content.client
    good = client.get_model_version(house.name, house.version(gated=False))
    other = f"{house.name}-source".removeprefix("house-")
    store.create_registered_model(other)
    store.create_model_version(other, f"runs:/{good.run_id}/other")
    chained = str(store.create_model_version(house.name, f"models:/{other}/1").version)
    assert store.get_model_version_download_uri(house.name, chained).startswith("runs:/")
    store.delete_registered_model(other)
    store.create_registered_model(other)
    store.create_model_version(other, good.source)
    of_run = str(store.create_model_version(house.name, f"runs:/{good.run_id}").version)
    for version in (chained, of_run):
        house.gate(version)
        with pytest.raises(MlflowException, match="may be others later"):
            store.set_registered_model_alias(house.name, ALIAS, version)
    assert house.champion() is None


@pytest.mark.parametrize("destination", ["file:///srv/artifacts", "s3://bucket/artifacts"])
@pytest.mark.parametrize("written", ["models/m%2D1", "models%2fm-1", "models/m%252d1"])
def test_a_location_is_where_whoever_decodes_it_reads_it(destination: str, written: str) -> None:
    location = place(f"mlflow-artifacts:/{written}/artifacts", destination)
    assert overlap(location, place("mlflow-artifacts:/models/m-1/artifacts/MLmodel", destination))
