"""What the guard lets stand, the receiver lets stand: signed lists of what was live."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.operations.adopt import Adopting, adopt
from aims_gate.reconcile.case import Act
from tests.reconcile.conftest import Watched
from tests.support.proofs import new_signer

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


def test_an_adopted_version_is_no_unproven_one_for_these_bytes(watched: Watched) -> None:
    """It may be set again, and an unproven move goes back to it; other bytes are not adopted."""
    house = watched.house
    officer = new_signer()
    house.trust({"person": "ana", "public_key": officer.key.pem, "roles": ["approver"]})
    house.version(gated=False)
    house.by_hand("1")
    watched.guarded = {"pattern": house.name}
    how = Adopting(
        file=watched.controller.file,
        signer=officer,
        now=watched.now(),
        models=(),
        environ=house.environ,
    )
    done = adopt(how)
    assert done.file is not None
    assert Path(done.file).parent == house.trust_file.parent / "adopted"
    watched.judge()
    assert watched.live() == {"champion": ("1", True)}
    assert watched.alerts() == ""
    house.by_hand(house.version(gated=False))
    watched.judge()
    assert house.champion() == "1"
    (back,) = watched.actions(Act.REVERTED)
    assert back.evidence.startswith("exception: live when ana adopted it")
    house.overwrite("1")
    watched.judge()
    assert "champion is at version 1, missing" in watched.alerts()
