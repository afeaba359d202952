"""`aims-gate evidence`: the keys that sign it, and copies of it from MLflow."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from aims_gate.cli.group import CommandGroup


@click.group(cls=CommandGroup)
def evidence() -> None:
    """Signed evidence and its keys."""


@evidence.command()
@click.argument("uri")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--stage", help="Whose evidence of a model version.")
def fetch(*, uri: str, folder: Path, stage: str | None) -> int:
    """Copy evidence from MLflow into the new directory DIR; verifies nothing.

    URI is runs:/RUN_ID/aims_gate/ID, models:/NAME/VERSION or models:/NAME@ALIAS.
    """
    from aims_gate.operations.evidence import keep

    keep(uri, folder, stage=stage, environ=os.environ)
    click.echo(f"evidence: {folder}, not verified")
    claim = ["--model", uri] if uri.startswith("models:") else ["--signature-only"]
    words = ["aims-gate", "verify", str(folder), *claim, "--trust", "trust.yaml"]
    click.echo(f"verify:   {shlex.join(words)}")
    return 0


@evidence.group()
def key() -> None:
    """Generate and show signing keys."""


@key.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("gate.key"),
    show_default=True,
    help="Where the private key goes; the public one gets .pub behind it.",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["p256", "ed25519"]),
    default="p256",
    show_default=True,
    help="P-256 is known to every verifier and every KMS.",
)
def generate(*, out: Path, kind: str) -> int:
    """Generate a key pair; AIMS_GATE_KEY_PASSWORD, if set, encrypts the private key."""
    from aims_gate.attest import keys

    password = os.environ.get(keys.PASSWORD_VARIABLE)
    scheme = {"p256": keys.Scheme.P256, "ed25519": keys.Scheme.ED25519}[kind]
    public = keys.generate(out, password=password, scheme=scheme)
    click.echo(f"private key: {out}" + ("" if password else " (not encrypted)"))
    click.echo(f"public key:  {keys.public_path(out)}")
    click.echo(f"fingerprint: {public.fingerprint}")
    return 0


@key.command()
@click.argument("place", metavar="KEY")
@click.option("--pem", is_flag=True, help="Show the public key itself, for the trust file.")
def show(*, place: str, pem: bool) -> int:
    """Show the fingerprint of a public key, for the trust file and for comparing by voice.

    KEY is a PEM or OpenSSH public key, or what `run --key` takes: awskms:…, hsm:…, env:NAME.
    """
    from aims_gate.attest import keys
    from aims_gate.attest.signers import load_signer, names_scheme
    from aims_gate.errors import UsageError
    from aims_gate.regular import read_regular

    if names_scheme(place):
        public = load_signer(place, os.environ).key
    else:
        try:
            data = read_regular(Path(place), 1 << 16)
        except OSError as error:
            raise UsageError(f"cannot read the key: {error.strerror}", where=place) from error
        public = keys.load_public(data, where=place)
    click.echo(public.pem.rstrip() if pem else f"{public.fingerprint} {public.scheme}")
    return 0
