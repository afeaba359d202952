"""Setting an alias against replacing the bytes under it, on a server with two workers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.guarding import GuardedServer
from tests.support.laws import nightly
from tests.support.promoting import ALIAS, House

EVIDENCE = "aims_gate.production.evidence"


def race(guarded: GuardedServer, house: House, delay: float) -> tuple[bool, bool]:
    """Judge a version, then set tag and alias while, from *delay* on, its bytes are replaced.

    Nobody is asked who they are, so the tag that freezes the files can be taken away for the start.
    """
    client, version = house.content.client, house.version()
    pointer = client.get_model_version(house.name, version).tags[EVIDENCE]
    client.delete_model_version_tag(house.name, version, EVIDENCE)
    source = client.get_model_version(house.name, version).source
    model = client.get_logged_model(source.removeprefix("models:/"))
    folder = model.artifact_location.removeprefix("mlflow-artifacts:/")
    weights = guarded.server.artifacts / folder / "weights/w.txt"
    before, start = weights.read_bytes(), threading.Barrier(3)

    def move() -> str:
        start.wait()
        client.set_model_version_tag(house.name, version, EVIDENCE, pointer)
        body = {"name": house.name, "alias": ALIAS, "version": version}
        while (answer := guarded.post("registered-models/alias", body)).status_code == 503:
            pass
        return "" if answer.ok else answer.text

    def replace() -> bool:
        start.wait()
        time.sleep(delay)
        answers = [guarded.put(f"{folder}/weights/w.txt", b"evil") for _again in range(4)]
        return any(one.ok for one in answers)

    with ThreadPoolExecutor(3) as pool:
        moved, *replaced = [pool.submit(one) for one in (move, replace, replace)]
        why, written = moved.result(), any(one.result() for one in replaced)
    live = not why
    assert live == (house.champion() == version)
    if live:
        assert weights.read_bytes() == before
    else:
        assert written, why
    return live, written


def test_no_alias_ends_on_replaced_bytes(guarded: GuardedServer, tmp_path: Path) -> None:
    house = guarded.house(tmp_path)
    for delay in (0, 0.05, 1):
        race(guarded, house, delay)


@nightly
@pytest.mark.timeout(7200)
def test_no_alias_ends_on_replaced_bytes_in_a_thousand_tries(
    guarded: GuardedServer, tmp_path: Path
) -> None:
    house = guarded.house(tmp_path)
    ends = [race(guarded, house, number % 50 / 250) for number in range(1000)]
    assert {live for live, _written in ends} == {True, False}
