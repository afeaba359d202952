"""`aims-gate registry webhook`: the MLflow server's webhook that tells the receiver of moves."""

from __future__ import annotations

import os

import click

from aims_gate.cli.group import CommandGroup
from aims_gate.errors import SourceError, UsageError


@click.group(cls=CommandGroup)
def webhook() -> None:
    """The MLflow server's webhook that tells the receiver of moves."""


@webhook.command()
@click.argument("url")
def install(*, url: str) -> int:
    """Set up the webhook that sends to URL, such as https://gate.example.com/webhook.

    Signed with AIMS_GATE_WEBHOOK_SECRET. One that is there is brought up to date, secret included.
    A new one tells of nothing for up to a minute: MLflow keeps its list that long.
    """
    from aims_gate.registry.webhooks import Webhooks
    from aims_gate.webhook_signature import read_secrets

    secret, *_previous = read_secrets(os.environ)
    done = Webhooks(os.environ).install(url, secret.decode())
    click.echo(f"installed: {done.name} ({done.id}), sends to {done.url}")
    return 0


@webhook.command("list")
def listed() -> int:
    """Every webhook of the server; secrets are never told."""
    from aims_gate.harmless import plain
    from aims_gate.registry.webhooks import Webhooks

    found = Webhooks(os.environ).all()
    for one in found:
        state = "active" if one.active else "disabled"
        events = ", ".join(sorted(f"{entity}.{action}".lower() for entity, action in one.events))
        click.echo(plain(f"{one.name} {one.id} {state} {one.url}: {events}"))
    click.echo(f"{len(found)} webhook{'' if len(found) == 1 else 's'}")
    return 0


@webhook.command()
def test() -> int:
    """Let the server send its example event, which changes nothing. Exits 3 if it is not taken."""
    from aims_gate.harmless import plain
    from aims_gate.registry.webhooks import NAME, Webhooks

    hooks = Webhooks(os.environ)
    found = next((one for one in hooks.all() if one.name == NAME), None)
    if found is None:
        hint = "aims-gate registry webhook install URL"
        raise UsageError(f"the server has no webhook {NAME}", hint=hint)
    done = hooks.test(found)
    if not done.taken:
        hint = "look at aims-gate registry doctor, the receiver's address, and its secret"
        what = f"the receiver did not take the example: {plain(done.what, most=300)}"
        raise SourceError(what, where=found.url, hint=hint)
    click.echo(f"taken: {found.url} answered {plain(done.what)}")
    return 0
