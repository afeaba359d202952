"""Locks of places: who waits for whom, on files and in PostgreSQL."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy import create_engine

from aims_gate.guard import locks
from aims_gate.guard.locks import AdvisoryLocks, FileLocks, Locks, keys, locks_of
from tests.support.postgres import Cluster

MODEL = "file//store/1/models/m-1/artifacts/"


@pytest.fixture(params=["files", pytest.param("postgresql", marks=pytest.mark.tool("postgresql"))])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Locks, Locks]]:
    """The locks of two workers."""
    if request.param == "files":
        yield FileLocks(tmp_path / "locks"), FileLocks(tmp_path / "locks")
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    url = cluster.database(f"locks-{uuid.uuid4().hex}").replace(
        "postgresql:", "postgresql+psycopg:"
    )
    engines = [create_engine(url) for _n in range(2)]
    yield AdvisoryLocks(engines[0]), AdvisoryLocks(engines[1])
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (MODEL, MODEL),
        (MODEL, f"{MODEL}weights/w.txt/"),
        (f"{MODEL}weights/w.txt/", MODEL),
        ("file//store/1/", MODEL),
        (MODEL, "file//store/1/"),
    ],
)
def test_what_lies_in_something_waits_for_it(
    held: tuple[Locks, Locks], monkeypatch: pytest.MonkeyPatch, mine: str, other: str
) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0.2)
    first, second = held
    late = pytest.raises(MlflowException, match="is under way: try again")
    with first.hold(mine), late as caught, second.hold(other):
        pytest.fail("two writes at once")
    assert caught.value.get_http_status_code() == 503
    with second.hold(other):
        pass


@pytest.mark.parametrize(
    ("mine", "other"),
    [(f"{MODEL}a/", f"{MODEL}b/"), (MODEL, "file//store/1/models/m-2/artifacts/")],
)
def test_what_lies_apart_goes_on_at_once(
    held: tuple[Locks, Locks], monkeypatch: pytest.MonkeyPatch, mine: str, other: str
) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0.2)
    first, second = held
    with first.hold(mine), second.hold(other):
        pass


def test_whoever_waits_goes_on_when_the_other_ends(held: tuple[Locks, Locks]) -> None:
    first, second = held
    order: list[str] = []
    inside = threading.Event()

    def later() -> None:
        inside.wait(10)
        with second.hold(MODEL):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(later)
        with first.hold(f"{MODEL}w/"):
            inside.set()
            time.sleep(0.3)
            order.append("first")
        done.result(10)
    assert order == ["first", "second"]


def test_a_place_is_locked_for_itself_and_what_is_above_it_for_sharing() -> None:
    found = keys([MODEL, f"{MODEL}x/"])
    assert sorted(found) == list(found)
    assert (len(found), sum(found.values())) == (8, 2)


def test_a_database_in_a_file_has_its_locks_beside_it(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/mlflow.db")
    with locks_of(engine).hold(MODEL):
        assert (tmp_path / "mlflow.db.aims-gate").stat().st_mode & 0o777 == 0o700
