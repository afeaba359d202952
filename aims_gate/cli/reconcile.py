"""`aims-gate registry reconcile | history`: what is live, proven or put back, and what was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate import registry_file
from aims_gate.cli.evidence import instant
from aims_gate.cli.options import config_option
from aims_gate.errors import UsageError

if TYPE_CHECKING:
    from aims_gate.inbox.contract import Inbox, ModelKey
    from aims_gate.reconcile.controller import Controller
    from aims_gate.reconcile.history import Move

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@contextmanager
def opened(config: Path | None, key: str | None = None) -> Iterator[tuple[Controller, Inbox]]:
    """Open what a registry file configures, and its inbox."""
    from aims_gate.inbox.database import database_url, open_inbox
    from aims_gate.reconcile.controller import Controller

    file = registry_file.read(registry_file.find(os.environ, config))
    controller = Controller.open(file, os.environ, partial(datetime.now, UTC), key=key)
    inbox = open_inbox(database_url(file.inbox, file.path.parent))
    try:
        yield controller, inbox
    finally:
        inbox.close()


@click.command()
@config_option
@click.option("--key", help="The gate's key, for evaluations; or set AIMS_GATE_SIGNING_KEY.")
def reconcile(*, config: Path | None, key: str | None) -> int:
    """Judge every guarded model once, now: prove what is live, and answer what was asked.

    Does what the receiver does, where no webhook tells of moves. Exits 0 if everything that is
    guarded is proven, 1 if something is not, 3 if something could not be judged.
    """
    from aims_gate.inbox.worker import Workers
    from aims_gate.reconcile.case import Act
    from aims_gate.reconcile.judge import LOOKED, judge
    from aims_gate.reconcile.sweep import sweep

    with opened(config, key) as (controller, inbox):
        before = {one.id for one in inbox.actions()}
        keys = set(sweep(controller, inbox))
        Workers(inbox, lambda model, box, hold: judge(model, controller, box, hold)).drain()
        for one in inbox.actions():
            if one.id not in before and one.kind != Act.NOTIFIED and one.reason != LOOKED:
                _line(one.kind, f"models:/{one.key.model}", one.reason)
        unproven = _show_live(inbox, keys)
        failed = [one for one in inbox.waiting() if one.key in keys and one.error]
        for each in failed:
            _line("failed", f"models:/{each.key.model}", each.error)
    models = f"{len(keys)} model{'' if len(keys) == 1 else 's'}"
    click.echo(f"{models}: {unproven} unproven, {len(failed)} could not be judged")
    return 3 if failed else min(unproven, 1)


def _show_live(inbox: Inbox, keys: set[ModelKey]) -> int:
    """Show what every guarded alias points at; how many of it is not proven."""
    live = [one for key in sorted(keys) for one in inbox.live(key) if one.version]
    for one in live:
        state = "proven" if one.evidence else "unproven"
        _line(state, f"models:/{one.key.model}@{one.alias}", f"version {one.version}")
    return sum(not one.evidence for one in live)


@click.command()
@click.argument("name")
@config_option
@click.option("--at", callback=instant, metavar="DATE", help="Only where each alias was then, UTC.")
def history(*, name: str, config: Path | None, at: datetime | None) -> int:
    """Every move of the guarded aliases of the model NAME, whoever made it.

    When, from where, to where, on what evidence; and who, where that is signed: MLflow does not
    tell. What no evidence proved is marked. With --at, which may not lie in the future, exits 1 if
    an alias was unproven then.
    """
    from aims_gate.reconcile.history import history as moves_of
    from aims_gate.reconcile.history import standing_at

    with opened(config) as (controller, inbox):
        if at is not None and at > controller.now():
            hint = "leave --at out for what is known by now"
            raise UsageError(f"--at {at.astimezone(UTC):{_TIME}} lies in the future", hint=hint)
        moves = moves_of(name, controller, inbox)
    if at is None:
        for move in moves:
            _show(move)
        if not moves:
            click.echo("nothing is known of it: run aims-gate registry reconcile")
        return 0
    found = standing_at(moves, at)
    for move in found.values():
        _show(move)
    if not found:
        click.echo(f"nothing is known of it at {at:{_TIME}}")
    return int(not found or any(move.to and not move.evidence for move in found.values()))


def _show(move: Move) -> None:
    frm, to = (f"version {one}" if one else "nothing" for one in (move.frm, move.to))
    moved = f"{to}, when first looked at" if move.first else f"{frm} -> {to}"
    who = f"signed by {move.who}" if move.who else "by the gate" if move.by_gate else "unsigned"
    proof = "" if not move.to else move.evidence or "UNPROVEN"
    _line(f"{move.at:{_TIME}}", move.alias, moved, who, proof)
    _line("", move.reason)


def _line(first: str, *columns: str) -> None:
    """Print columns; what strangers may have written in them is made harmless."""
    from aims_gate.harmless import plain

    click.echo("  ".join([f"{first:<9}", *map(plain, filter(None, columns))]))
