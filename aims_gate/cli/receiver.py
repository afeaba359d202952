"""`aims-gate registry serve | status`: the receiver of MLflow's webhooks, and what waits in it."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate import registry_file
from aims_gate.cli.options import config_option

if TYPE_CHECKING:
    from aims_gate.inbox.contract import Waiting


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Models that are judged at the same time.",
)
@click.option(
    "--key", help="The gate's key, which signs evaluations. Or set AIMS_GATE_SIGNING_KEY."
)
def serve(*, config: Path | None, host: str, port: int, workers: int, key: str | None) -> int:
    """Receive MLflow's webhooks, judge what moved, and sweep over all models on schedule.

    AIMS_GATE_WEBHOOK_SECRET or AIMS_GATE_WEBHOOK_SECRET_FILE holds the secret of the webhooks,
    …_PREVIOUS one that still counts. Runs until SIGTERM, then ends or gives back what it judges.
    """
    from aims_gate.inbox.database import open_inbox
    from aims_gate.reconcile.controller import Controller
    from aims_gate.reconcile.judge import judge
    from aims_gate.reconcile.sweep import sweep
    from aims_gate.webhook.serve import Service
    from aims_gate.webhook.serve import serve as run
    from aims_gate.webhook_signature import VARIABLE, read_secrets

    file = registry_file.read(registry_file.find(os.environ, config))
    secrets = read_secrets(os.environ)
    # what judges has neither the webhook's secret nor the inbox's password
    rest = {name: os.environ[name] for name in os.environ if not name.startswith((VARIABLE, "PG"))}
    controller = Controller.open(file, rest, _now, key=key)
    controller.registry()  # not one failure a sweep later
    inbox = open_inbox(_inbox_of(file))

    run(
        Service(
            inbox=inbox,
            secrets=secrets,
            keys=lambda name: (controller.model_key(name),) if file.guarded(name) else (),
            judge=lambda model, inbox, hold: judge(model, controller, inbox, hold),
            sweep=lambda inbox: sweep(controller, inbox),
            interval=file.sweep.total_seconds(),
            host=host,
            port=port,
            workers=workers,
        )
    )
    inbox.close()
    return 0


@click.command()
@config_option
@click.option("--all", "every", is_flag=True, help="Models with nothing to do, too.")
def status(*, config: Path | None, every: bool) -> int:
    """What the receiver's inbox holds: models that wait, are judged, failed, or are dead.

    Exits 3 if a model is dead: it failed too often, and is tried again only when something is
    heard of it, at the latest by the next sweep.
    """
    from aims_gate.inbox.database import open_inbox

    inbox = open_inbox(_inbox_of(registry_file.read(registry_file.find(os.environ, config))))
    try:
        waiting = inbox.waiting()
    finally:
        inbox.close()
    for each in waiting:
        if every or each.state != "clean":
            click.echo(_line(each))
    count = Counter(each.state for each in waiting)
    told = ", ".join(f"{number} {state}" for state, number in sorted(count.items()))
    click.echo(f"{len(waiting)} models" + (f": {told}" if told else ""))
    return 3 if count["dead"] else 0


def _line(waiting: Waiting) -> str:
    from aims_gate.harmless import plain

    since = datetime.fromtimestamp(waiting.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = waiting.key
    name = "/".join(filter(None, (key.server, key.workspace, key.model)))
    failed = f"  failed {waiting.attempts} times: {waiting.error}" if waiting.attempts else ""
    return f"{waiting.state:<8}  {since}  {plain(name)}{plain(failed)}"


def _inbox_of(file: registry_file.RegistryFile) -> str:
    from aims_gate.inbox.database import database_url

    return database_url(file.inbox, file.path.parent)


def _now() -> datetime:
    return datetime.now(UTC)
