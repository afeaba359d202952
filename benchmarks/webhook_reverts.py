"""How long a bad move of a guarded alias lasts: from the call that sets it until it is put back.

A real MLflow server with its real webhooks, the receiver beside it, and evidence of both versions
in MLflow: of the good one that the policy is met, of the bad one that it is not. Mark: p95 at most
a second; without webhooks, a sweep's interval. Printed, not asserted: a benchmark is no test.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aims_gate.registry.webhooks import Webhooks
from tests.support.deliveries import SECRET, Sender
from tests.support.killing import until
from tests.support.promoting import ALIAS, House
from tests.support.proofs import refused
from tests.support.servers import Server, environment, free_port

WEBHOOKS = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    "MLFLOW_WEBHOOK_CACHE_TTL": "0",
}


@contextlib.contextmanager
def receiving(house: House, port: int, sweep: str) -> Iterator[None]:
    """Run the receiver, which puts aliases of this house back."""
    folder = house.trust_file.parent
    guarded = {"pattern": "*", "mode": "enforce", "on_fail": "revert"}
    text = {"apiVersion": "aims-gate/v1", "kind": "Registry", "trust": house.trust_file.name}
    text |= {"models": [guarded], "sweep": sweep, "reverts": 1000}
    (folder / "registry.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    command = [sys.executable, "-m", "aims_gate", "registry", "serve", "--port", str(port)]
    variables = environment({**house.environ, "AIMS_GATE_WEBHOOK_SECRET": SECRET.decode()})
    with (
        (folder / "receiver.log").open("ab") as log,
        subprocess.Popen(command, cwd=folder, env=variables, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def main() -> None:
    """Print a table of times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--moves", type=int, default=30)
    options.add_argument("--sweep", default="5s", help="for the leg without webhooks")
    asked = options.parse_args()
    print("| told by | moves | p50 s | p95 s | longest s |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        server = Server(folder=Path(name) / "server", environ=WEBHOOKS)
        server.start()
        try:
            measure(server, Path(name), "webhook", asked.moves, "1h")
            measure(
                server, Path(name), f"sweep of {asked.sweep}", max(asked.moves // 5, 2), asked.sweep
            )
        finally:
            server.kill()


def measure(server: Server, folder: Path, told: str, moves: int, sweep: str) -> None:
    """Print one row."""
    house = House.build(server.url, folder / f"house-{sweep}")
    good, bad = house.version(), house.version(**refused())
    house.by_hand(good)
    port = free_port()
    webhooks = Webhooks(house.environ)
    if told == "webhook":
        webhooks.install(f"http://127.0.0.1:{port}/webhook", SECRET.decode())
    else:
        for webhook in webhooks.all():
            house.content.client.delete_webhook(webhook.id)
    with receiving(house, port, sweep):
        until(lambda: _clean(port), 60)
        times = [_put_back(server, house, good, bad) for _ in range(moves)]
    cuts = statistics.quantiles(times, n=20)
    print(
        f"| {told} | {moves} | {statistics.median(times):.2f} | {cuts[-1]:.2f} | {max(times):.2f} |"
    )


def _put_back(server: Server, house: House, good: str, bad: str) -> float:
    """Seconds from the bad move to the good version."""
    house.by_hand(bad)
    began = time.monotonic()
    until(lambda: _champion(server, house) == good, 60)
    took = time.monotonic() - began
    time.sleep(0.3)  # until what the move back told is judged
    return took


def _champion(server: Server, house: House) -> str:
    """Read as the server's database has it, which costs the server nothing."""
    wanted = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
    with contextlib.closing(sqlite3.connect(server.folder / "mlflow.db", timeout=30)) as database:
        row = database.execute(wanted, (house.name, ALIAS)).fetchone()
    return str(row[0])


def _clean(port: int) -> bool:
    with contextlib.suppress(OSError):
        text = Sender(port=port).get("/metrics").body.decode()
        return 'aims_gate_models{state="clean"} 0.0' not in text and (
            'aims_gate_models{state="waiting"} 0.0' in text
            and 'aims_gate_models{state="judging"} 0.0' in text
        )
    return False


if __name__ == "__main__":
    main()
