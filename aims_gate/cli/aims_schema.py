"""`aims-gate aims schema`: JSON Schemas of records, for editors."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("kind")
def schema(*, kind: str) -> int:
    """Print the JSON Schema of a KIND of record: system, risks, people, entry and so on."""
    from aims_gate.errors import UsageError, near
    from aims_gate.governance.kinds import WRITTEN

    if kind not in WRITTEN:
        raise UsageError(f"no kind of record is called {kind!r}", hint=near(kind, WRITTEN))
    click.echo(json.dumps(WRITTEN[kind].schema(), indent=2))
    return 0
