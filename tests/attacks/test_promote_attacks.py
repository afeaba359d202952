"""Attacks on the one door to production: swaps, replays, races, kills and stores that fail.

Each runs against a real MLflow server, with a proxy in between that does the harm at the very
request at which it hurts most.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.statement_files import read_statement
from aims_gate.errors import TrustError, UndecidedError, UsageError
from aims_gate.evidence.predicates import PROMOTION, Promotion
from aims_gate.operations.promotion import Promoted
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.registry.choose import open_registry
from aims_gate.sinks import alias as moving
from aims_gate.sinks.alias import CollisionError
from aims_gate.sources.mlflow.evidence import fetch_statement
from tests.support.command_line import process
from tests.support.laws import nightly
from tests.support.promoting import ALIAS, House
from tests.support.proxy import Answer, Plan, Proxy, Request

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations
INTENT, PROMOTED = (f"aims_gate.alias.{ALIAS}.{what}" for what in ("intent", "promotion"))


@pytest.fixture
def house(mlflow_server: str, tmp_path: Path) -> House:
    return House.build(mlflow_server, tmp_path / "house")


@contextmanager
def through(house: House, plan: Plan) -> Iterator[dict[str, str]]:
    """Give the environment of a promoter whose requests go through a proxy."""
    with Proxy(house.environ["MLFLOW_TRACKING_URI"], plan) as proxy:
        house.trust(servers={"prod": [house.environ["MLFLOW_TRACKING_URI"], proxy.url]})
        yield {**house.environ, "MLFLOW_TRACKING_URI": proxy.url}


def moves(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/registered-models/alias")


def at_the_move(harm: Callable[[], object]) -> Plan:
    """Do harm just before the alias is set, once."""
    done: list[object] = []

    def plan(_number: int, request: Request) -> Answer | None:
        if moves(request) and not done:
            done.append(harm())
        return None

    return plan


def history(house: House, version: str, folder: Path) -> Promotion:
    """Read what the history of the alias says of a version, verified."""
    folder.mkdir(parents=True)
    registry = open_registry(house.environ)
    _digest, name = fetch_statement(registry, house.tags(version)[PROMOTED], folder, house.environ)
    trust = trust_file.load(house.trust_file)
    return read_statement(folder, name, PROMOTION, trust=trust, now=house.now).said


def test_row_02_bytes_that_are_exchanged_between_hash_and_alias(house: House) -> None:
    """The alias is back where it was, or gone where it was not; exit 4."""
    first, second, third = (house.version() for _ in range(3))
    for version, before in ((first, None), (third, second)):
        if before is not None:
            house.promote(before)
        harm = at_the_move(partial(house.overwrite, version))
        told = pytest.raises(TrustError, match=r"changed while .*: changed: weights/w\.txt")
        with through(house, harm) as environ, told:
            house.promote(version, environ=environ)
        assert (house.champion(), house.flags(), house.tags(version)) == (before, [], {})
    with pytest.raises(TrustError, match=r"changed: weights/w\.txt"):
        house.promote(third)


def test_row_02_bytes_of_the_champion_that_are_exchanged_later(house: House) -> None:
    """Promoting it again refuses and says how to get back; so does a rollback to such bytes."""
    first, second, third = (house.version() for _ in range(3))
    for version in (first, second, third):
        house.promote(version)
    house.overwrite(third)
    house.overwrite(second)
    with pytest.raises(TrustError) as caught:
        house.promote(third)
    assert "points at it now: take it back with --rollback" in caught.value.hint
    done = house.promote()
    assert (house.champion(), done.exit_code) == (first, 0)
    assert f"version {second} was passed over: the model is not the one" in done.told[0]


def test_row_04_what_is_revoked_in_the_moment_of_the_move(house: House) -> None:
    """The second look finds it."""
    version = house.version()
    how = Revoking(signer=house.signer, why="x", trust=house.trust_file, environ=house.environ)
    harm = at_the_move(lambda: revoke(Frozen(evidence=house.uri(version)), how, now=house.now))
    with through(house, harm) as environ, pytest.raises(TrustError, match="was revoked at"):
        house.promote(version, environ=environ)
    assert (house.champion(), house.flags()) == (None, [])


def test_row_04_evidence_that_is_exchanged_in_the_moment_of_the_move(house: House) -> None:
    """The tag points at other evidence than what was signed for."""
    version = house.version()
    told = pytest.raises(TrustError, match="has other evidence than a moment ago")
    with through(house, at_the_move(partial(house.gate, version))) as environ, told:
        house.promote(version, environ=environ)
    assert (house.champion(), house.flags()) == (None, [])


def test_row_04_evidence_of_another_server(house: House) -> None:
    """The trust file names another server than the one that the evidence was made on."""
    version = house.version()
    house.trust(servers={"prod": ["https://mlflow.acme.example"]})
    with pytest.raises(TrustError, match="for a server that the trust file does not name"):
        house.promote(version)
    assert house.champion() is None


def test_row_19_unsigned_evidence_and_missing_trust(house: House) -> None:
    """Nothing is promoted on the word of tags."""
    version, other = house.version(), house.version(gated=False)
    pointer = house.content.client.get_model_version(house.name, version).tags
    run, folder = pointer["aims_gate.production.evidence"].split("runs:/")[1].split("/", 1)
    root = house.content.client.get_run(run).info.artifact_uri
    registry = open_registry(house.environ)
    junk = house.lab.folder / "junk"
    junk.write_bytes(b"{}")
    registry.upload(root, f"{folder}/vsa.dsse.json", junk)
    for tag, value in (("verdict", "passed"), ("evidence", f"sha256:{'0' * 64} runs:/{run}/x")):
        house.content.client.set_model_version_tag(
            house.name, other, f"aims_gate.production.{tag}", value
        )
    with pytest.raises(TrustError, match=r"vsa\.dsse\.json"):
        house.promote(version)
    with pytest.raises(UsageError, match="there is no evidence"):
        house.promote(other)
    house.trust_file.unlink()
    with pytest.raises(UsageError, match="cannot read the trust file"):
        house.promote(version)
    assert house.champion() is None


def test_row_10_tags_that_pretend_other_promoters(house: House) -> None:
    """They are told and cost a moment; they move nothing and stop nobody."""
    first, second = house.version(), house.version()
    tag = house.content.client.set_model_version_tag
    for value in (
        "nonsense",
        "sha256:../../x runs:/../20990101T000000Z-promote-00000000\n::error::",
    ):
        tag(house.name, first, INTENT, value)
        done = house.promote(second, dry_run=True)
        assert done.told == (
            f"an unfinished move of '{ALIAS}' to version 1 had not moved it: taken away",
        )
    assert house.promote(second).moved
    assert (house.champion(), house.flags()) == (second, [])


def test_row_10_a_flag_that_nobody_signed_finishes_nothing(house: House) -> None:
    """On the version that the alias was moved to by hand: it is signed for, by whoever promotes."""
    first, second = house.version(), house.version()
    house.promote(first)
    house.by_hand(second)
    pointer = house.tags(first)[PROMOTED]
    house.content.client.set_model_version_tag(house.name, second, INTENT, pointer)
    done = house.promote(second)
    assert done.told[0] == f"the promotion of version {second} is about something else"
    assert (house.said(done)["previous"], house.flags()) == (None, [])
    assert house.tags(second)[PROMOTED] != pointer


def test_row_12_names_that_look_like_paths_and_filters(house: House) -> None:
    """A name that MLflow takes is that name everywhere; one with a slash is none."""
    house.name = f"haus (\N{GREEK SMALL LETTER BETA}) +1.0..x-{house.name}"
    first, second = house.version(), house.version()
    house.promote(first)
    assert house.promote(second).moved
    assert house.promote().version == house.uri(first)
    with pytest.raises(UsageError, match="not a model URI"):
        house.promote(first, model=f"models:/a/../{house.name}/1")


Ended = dict[str, Promoted | Exception]


def race(house: House, versions: tuple[str, str], *, together: bool) -> Ended:
    """Promote two versions at once; *together* holds both until each is about to set the alias."""
    barrier = threading.Barrier(2)
    ended: Ended = {}

    def meet(_number: int, request: Request) -> Answer | None:
        if moves(request) and together:
            barrier.wait(60)
        return None

    def one(version: str, environ: dict[str, str]) -> None:
        try:
            ended[version] = house.promote(version, environ=environ)
        except Exception as error:  # noqa: BLE001  # it is what is looked at
            ended[version] = error

    server = house.environ["MLFLOW_TRACKING_URI"]
    with Proxy(server, meet) as left, Proxy(server, meet) as right:
        house.trust(servers={"prod": [server, left.url, right.url]})
        threads = [
            threading.Thread(target=one, args=(version, {"MLFLOW_TRACKING_URI": proxy.url}))
            for version, proxy in zip(versions, (left, right), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    return ended


def fair(house: House, ended: Ended, folder: Path) -> None:
    """Whoever holds the alias was verified and knows of the other; whoever lost was told."""
    champion = house.champion() or ""
    assert champion in ended
    won = ended[champion]
    assert isinstance(won, Promoted), won
    ((other, lost),) = [(v, e) for v, e in ended.items() if v != champion]
    if isinstance(lost, Promoted):  # they did not meet: it was first, and then its time was over
        assert won.previous == other
    else:
        assert isinstance(lost, CollisionError), lost
        assert lost.exit_code == 3
        assert f"version {champion}" in lost.what
    assert history(house, champion, folder).resource_uri
    again = house.promote(champion)
    assert (again.moved, house.champion(), house.flags()) == (False, champion, [])


def test_two_promoters_who_both_looked_before_either_moved(house: House, tmp_path: Path) -> None:
    """One loses with exit 3, the other wins and is told by whom it was met."""
    first = house.version()
    house.promote(first)
    versions = house.version(), house.version()
    ended = race(house, versions, together=True)
    (lost,) = [v for v, e in ended.items() if isinstance(e, CollisionError)]
    (won,) = [e for e in ended.values() if isinstance(e, Promoted)]
    assert any(f"for version {lost} at the same time" in told for told in won.told)
    assert PROMOTED not in house.tags(lost)
    fair(house, ended, tmp_path / "history")


def test_two_promoters_of_the_same_version(house: House) -> None:
    """They want the same, and it is; a store that takes one tag at a time may refuse one."""
    version = house.version()
    for one in race(house, (version, version), together=False).values():
        assert isinstance(one, Promoted | UndecidedError), one
    assert house.champion() == version
    assert house.promote(version).exit_code == 0
    assert house.flags() == []


@nightly
@pytest.mark.timeout(3600)
def test_two_promoters_at_any_moment(house: House, tmp_path: Path) -> None:
    """Without being held: whatever the interleaving, it is fair."""
    versions = house.version(), house.version()
    for number in range(25):
        pair = versions if number % 2 else versions[::-1]
        fair(house, race(house, pair, together=False), tmp_path / str(number))


def test_an_alias_that_moves_after_it_was_read(house: House) -> None:
    """Before the move it is seen, and nothing is moved; by hand, without a flag, too."""
    first, second, third = (house.version() for _ in range(3))
    house.promote(first)

    def by_hand(_number: int, request: Request) -> Answer | None:
        if request.path.endswith("/set-tag"):
            house.by_hand(third)
        return None

    told = pytest.raises(CollisionError, match="moved from version 1 to version 3 meanwhile")
    with through(house, by_hand) as environ, told:
        house.promote(second, environ=environ)
    assert (house.champion(), house.flags(), house.tags(second)) == (third, [], {})


def test_a_promoter_who_is_at_work_is_waited_for_and_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh flag of somebody who was killed costs the wait; an old one is taken away."""
    monkeypatch.setattr(moving, "POLLS", 2)
    first, second = house.version(), house.version()
    stamp = f"{house.now:%Y%m%dT%H%M%SZ}"
    pointer = f"sha256:{'0' * 64} runs:/x/aims_gate/y/promotions/{stamp}-promote-00000000"
    house.content.client.set_model_version_tag(house.name, first, INTENT, pointer)
    done = house.promote(second)
    assert "stands open: another promoter is at work, or was killed" in done.told[0]
    assert "had 'champion' for version 1 at the same time" in done.told[1]
    assert house.flags() == [first]
    house.now += timedelta(minutes=6)
    assert house.promote(second).told[0].endswith("had not moved it: taken away")
    assert house.flags() == []


INTENDED, MOVED, TOLD, ENDED = 3, 4, 5, 6
"""Writes: three files, the intent, the alias, the history, the intent's end."""
OFTEN = [(INTENDED, True), (MOVED, False), (MOVED, True), (TOLD, False), (ENDED, True)]
ALL = [(number, done) for number in range(ENDED + 1) for done in (True, False)]


@pytest.mark.parametrize(
    ("number", "done"),
    [pytest.param(*one, marks=() if one in OFTEN else nightly) for one in ALL],
)
def test_a_store_that_fails_at_any_write(
    house: House, tmp_path: Path, number: int, *, done: bool
) -> None:
    """Before it does it, or after: the alias is here or there, and the next run completes it."""
    first, second = house.version(), house.version()
    house.promote(first)
    server = house.environ["MLFLOW_TRACKING_URI"]
    writes: list[str] = []

    def fails(_number: int, request: Request) -> Answer | None:
        if request.method == "GET":
            return None
        writes.append(request.path)
        if len(writes) - 1 != number:
            return None
        if done:
            proxy._forward(request)
        return Answer(status=0 if done else 500)

    with Proxy(server, fails) as proxy:
        house.trust(servers={"prod": [server, proxy.url]})
        # where the alias did move, a look tells, and it goes on
        known = nullcontext() if (number, done) == (MOVED, True) else pytest.raises(UndecidedError)
        with known:
            house.promote(second, environ={"MLFLOW_TRACKING_URI": proxy.url})
    assert house.champion() in {first, second}
    if house.champion() == second:
        assert len(writes) > 4, "it was signed and stored before it moved"
    completed(house, first, second, tmp_path)


def completed(house: House, first: str, second: str, folder: Path) -> None:
    """The next run leaves what an undisturbed one would have."""
    done = house.promote(second)
    assert done.exit_code == 0
    assert (house.champion(), house.flags()) == (second, [])
    said = history(house, second, folder / "history")
    assert (said.action, said.previous) == ("promote", first)
    assert house.promote().version == house.uri(first)


def killed(house: House, version: str, number: int) -> bool:
    """Kill a promoter, a process, at its request of that number; False if it had ended before."""
    started = threading.Event()
    child: list[subprocess.Popen[bytes]] = []

    def kill(seen: int, _request: Request) -> Answer | None:
        if seen != number:
            return None
        started.wait(60)
        child[0].send_signal(signal.SIGKILL)
        child[0].wait()
        return None  # what was sent is done all the same

    with through(house, kill) as environ:
        command = [sys.executable, "-m", "aims_gate", "promote", "--model", house.uri(version)]
        command += ["--alias", ALIAS, "--why", "kill", "--key", "gate.key"]
        command += ["--trust", str(house.trust_file)]
        with subprocess.Popen(
            command, cwd=house.lab.folder, env={**os.environ, **environ}
        ) as promoter:
            child.append(promoter)
            started.set()
            return promoter.wait() == -signal.SIGKILL


@pytest.fixture
def keyed(house: House) -> House:
    """A house whose key is a file, for processes."""
    done = process(house.lab.folder, "evidence", "key", "generate")
    assert done.code == 0, done.err
    house.use_key(house.lab.folder / "gate.key")
    return house


def endures(house: House, number: int, folder: Path) -> bool:
    """A kill at a request, and what is left of it."""
    house.content.client.delete_registered_model_alias(house.name, ALIAS)
    first, second = house.version(), house.version()
    house.promote(first)
    was_killed = killed(house, second, number)
    assert house.champion() in {first, second}
    completed(house, first, second, folder)
    return was_killed


@pytest.mark.parametrize("write", ["alias", "history"])
def test_a_promoter_that_is_killed_around_the_move(
    keyed: House, tmp_path: Path, write: str
) -> None:
    """At the very request that moves the alias, and at the one after it."""
    requests = numbers(keyed)
    assert endures(keyed, requests[write], tmp_path)


def numbers(house: House) -> dict[str, int]:
    """Number of the requests that move the alias and write its history."""
    version = house.version()
    seen: list[Request] = []

    def watch(_number: int, request: Request) -> Answer | None:
        seen.append(request)
        return None

    with through(house, watch) as environ:
        house.promote(version, environ=environ)
    alias = next(n for n, request in enumerate(seen) if moves(request))
    tags = [n for n, request in enumerate(seen) if request.path.endswith("/set-tag")]
    return {"alias": alias, "history": tags[-1], "all": len(seen)}


@nightly
@pytest.mark.timeout(3600)
def test_a_promoter_that_is_killed_at_any_request(keyed: House, tmp_path: Path) -> None:
    """Wherever it is killed, nothing is half-promoted and the next run completes it."""
    kills = [endures(keyed, n, tmp_path / str(n)) for n in range(numbers(keyed)["all"])]
    assert sum(kills) >= len(kills) - 1
