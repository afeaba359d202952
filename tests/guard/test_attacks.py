"""No attack of the battery moves a guarded alias or stage, or a byte of what is live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.guard.test_admission import set_alias
from tests.support.battery import ATTACKS, Target
from tests.support.guarding import GuardedServer


@pytest.fixture(scope="module")
def target(guarded: GuardedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A model with a live version 1 and a version 2 without evidence, for all attacks."""
    house = guarded.house(tmp_path_factory.mktemp("house"))
    assert set_alias(guarded, house, house.version()).status_code == 200
    house.version(gated=False)
    first, second = (
        house.content.client.get_model_version(house.name, one).source.removeprefix("models:/")
        for one in ("1", "2")
    )
    return Target(
        url=guarded.url,
        database=guarded.server.folder / "mlflow.db",
        artifacts=guarded.server.artifacts,
        name=house.name,
        model_id=first,
        run_id=house.content.client.get_logged_model(first).source_run_id,
        other_id=second,
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_that_is_live_moves(target: Target, name: str) -> None:
    before = target.state()
    target.answers.clear()
    ATTACKS[name](target)
    assert target.state() == before
    assert before["aliases"] == [(target.name, "champion", 1)]
    assert before["bytes"]
    assert target.answers, "an attack that asks nothing proves nothing"
