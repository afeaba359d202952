"""How long MLflow waits for the webhook receiver's answer, under load, and how much is coalesced.

Deliveries are sent at a fixed rate, whether or not earlier ones are answered, on the loopback
interface, each on a connection of its own as MLflow's are. Milliseconds count from the moment at
which a delivery was due. Marks: p95 at 200 a second at most 250 ms on sqlite, 50 ms on PostgreSQL;
both bring every commit to the disk. With `--kills 200` receivers are killed that often instead, at
random, one on sqlite and two that share PostgreSQL, and what was lost or done twice is counted.
Printed, not asserted: a benchmark is no test.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aims_gate.inbox.database import open_inbox
from tests.support import postgres
from tests.support.deliveries import Sender
from tests.support.killing import Program, killed, until
from tests.support.registry_world import World

_MODELS = 100
_SENDERS = 32


def load(sender: Sender, rate: int, seconds: float) -> list[float]:
    """Send deliveries at a *rate* for so many seconds; milliseconds of those that were accepted."""
    taken: list[float] = []
    numbers = itertools.count()
    began = time.monotonic() + 0.2

    def send() -> None:
        while (number := next(numbers)) < rate * seconds:
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            if sender.event(f"m{number % _MODELS}").status == 202:
                taken.append(1000 * (time.monotonic() - due))

    threads = [threading.Thread(target=send) for _ in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


@contextmanager
def databases(folder: Path, wanted: list[str]) -> Iterator[dict[str, str]]:
    """URLs of empty databases by name."""
    urls = {"sqlite": f"sqlite:///{folder}/inbox.db"}
    if "postgresql" not in wanted:
        yield urls
        return
    with postgres.cluster(durable=True) as cluster:
        yield {**urls, "postgresql": cluster.database("load")}


def main() -> None:
    """Print a table of rates and times."""
    options = argparse.ArgumentParser(description=__doc__)
    known = ["sqlite", "postgresql"]
    options.add_argument("--database", nargs="+", choices=known, default=known)
    options.add_argument("--rate", nargs="+", type=int, default=[50, 200])
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--kills", type=int, default=0)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with databases(folder, asked.database) as urls:
            if asked.kills:
                kill(folder, {name: urls[name] for name in asked.database}, asked.kills)
            else:
                answer(folder, urls, asked)


def kill(folder: Path, urls: dict[str, str], kills: int) -> None:
    """Print what became of acknowledged deliveries."""
    print("| inbox | kills | acknowledged | of sent | judgements | put back | lost | twice |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for database, url in urls.items():
        (folder / database).mkdir()
        open_inbox(url).close()
        world = World.make(folder / database / "world.db")
        tally = killed(url, world, folder / database, kills)
        told = f"{tally.acknowledged} | {tally.sent} | {tally.judgements} | {tally.put_back}"
        print(f"| {database} | {tally.kills} | {told} | {len(tally.lost)} | {len(tally.twice)} |")


def answer(folder: Path, urls: dict[str, str], asked: argparse.Namespace) -> None:
    """Print how long answers took."""
    print("| inbox | a second | accepted | p50 ms | p95 ms | longest ms | judgements |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for database, rate in itertools.product(asked.database, asked.rate):
        measure(folder / f"{database}-{rate}", urls[database], database, rate, asked.seconds)


def measure(folder: Path, url: str, database: str, rate: int, seconds: float) -> None:
    """Print one row: a receiver of its own, judging beside, as in use."""
    folder.mkdir()
    world = World.make(folder / "world.db")
    for number in range(_MODELS):
        world.move(f"m{number}", 1, bad=False)
    program = Program(inbox=url, world=world, pid=folder / "pid")
    with program.running():
        until(program.answers)
        taken = load(program.sender, rate, seconds)
    cuts = statistics.quantiles(taken, n=20)
    accepted = f"{len(taken)} of {int(rate * seconds)}"
    times = f"{statistics.median(taken):.1f} | {cuts[-1]:.1f} | {max(taken):.1f}"
    print(f"| {database} | {rate} | {accepted} | {times} | {world.judgements()} |")


if __name__ == "__main__":
    main()
