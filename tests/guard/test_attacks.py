"""No attack of the battery moves a guarded alias or stage, or a byte of what is live."""

from __future__ import annotations

import pytest

from tests.support.battery import ATTACKS, Target
from tests.support.guarding import GuardedServer


@pytest.fixture(scope="module")
def target(guarded: GuardedServer, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A model with a live version 1 and a version 2 without evidence, for all attacks."""
    return Target.of(guarded.house(tmp_path_factory.mktemp("house")), guarded.server)


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_that_is_live_moves(target: Target, name: str) -> None:
    before = target.state()
    target.answers.clear()
    ATTACKS[name](target)
    assert target.state() == before
    assert before["aliases"] == [(target.name, "champion", 1)]
    assert "Production" in before["versions"][0]
    assert len(before["bytes"]) > 1
    assert target.answers, "an attack that asks nothing proves nothing"
