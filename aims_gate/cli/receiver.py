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
