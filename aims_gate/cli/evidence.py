"""`aims-gate evidence`: the keys that sign it, copies of it from MLflow, and reports."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.absent import stand_in
from aims_gate.cli.evidence_report import report
from aims_gate.cli.expectations import digest_option
from aims_gate.cli.group import CommandGroup
from aims_gate.cli.options import pairs, policy_base_option, signed_policy_option


@click.group(cls=CommandGroup)
def evidence() -> None:
    """Signed evidence, its keys, and reports of it."""


evidence.add_command(report)


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


@evidence.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--policy", default="policy.yaml", show_default=True, help="The policy in force.")
@policy_base_option
@signed_policy_option
@click.option("--model", required=True, help="The model's URI, as it was given to run --unsigned.")
@click.option("--experiment", help="Where commit:SHA looks for its run, as for run.")
@click.option("--stage", help="The stage to sign for; the policy's last if left out.")
@click.option("--trust", type=click.Path(path_type=Path), help="Whose waivers count, as for run.")
@click.option("--reviews", type=click.Path(path_type=Path), help="As for run.")
@click.option(
    "--data",
    multiple=True,
    callback=pairs("ROLE=PATH"),
    metavar="ROLE=PATH",
    help="A local copy of a role's data, whose digest is taken again. Repeatable.",
)
@click.option("--key", help="Private key to sign with, as for run. Or set AIMS_GATE_SIGNING_KEY.")
@click.option("--verifier-id", help="Who signs, such as the workflow's URL.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The directory to write; DIR with -signed behind it if left out.",
)
@click.option("--publish/--no-publish", default=True, help="Copy it to MLflow, as run does.")
def sign(
    *,
    folder: Path,
    policy: str,
    policy_base: str | None,
    require_signed_policy: bool,
    model: str,
    experiment: str | None,
    stage: str | None,
    trust: Path | None,
    reviews: Path | None,
    data: dict[str, str],
    key: str | None,
    verifier_id: str | None,
    out: Path | None,
    publish: bool,
) -> int:
    """Sign what run --unsigned measured in another job, and wrote into DIR.

    The model and the policy are hashed again, every rule is judged again from its statistics, and
    the evidence says that an unsigned job measured. Exits as run does, and 4 where DIR is not what
    model, policy and statistics give.
    """
    stand_in()
    from aims_gate.attest.signers import without_keys
    from aims_gate.cli.reporting import Reporting
    from aims_gate.operations import run as gate
    from aims_gate.operations.sign import sign as sign_measured
    from aims_gate.policy.base import open_base
    from aims_gate.policy.data_roles import roles_of
    from aims_gate.request import Request

    out = out or folder.with_name(f"{folder.name}-signed")
    recording = gate.recording_of(
        key=key,
        unsigned=False,
        out=out,
        publish=publish,
        environ=os.environ,
        verifier_id=verifier_id or gate.VERIFIER_ID,
    )
    for name in os.environ.keys() - without_keys(os.environ, key).keys():
        del os.environ[name]
    request = Request(
        policy=policy,
        model=model,
        stage=stage,
        data=roles_of(data),
        experiment=experiment or "",
        recording=recording,
        trust=trust,
        reviews=reviews,
        require_signed_policy=require_signed_policy,
        base=click.get_current_context().with_resource(open_base(policy_base, os.environ)),
    )
    verdict = sign_measured(folder, request, gate.real_world(key=key))
    Reporting.of({}, out).show(verdict)
    return verdict.exit_code


def instant(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """A date, or a date and time, of an option; UTC where it does not say."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        hint = f"{value!r} is no date such as 2027-01-31 or 2027-01-31T09:00:00Z"
        raise click.BadParameter(hint) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


@evidence.command()
@click.option("--evidence", "named", metavar="DIR|URI", help="The verdict: its evidence.")
@click.option("--stage", help="Whose evidence of a model version.")
@click.option(
    "--model-digest", callback=digest_option, metavar="SHA256", help="All verdicts on a model."
)
@click.option("--key-fingerprint", metavar="SHA256:…", help="All that a key has signed.")
@click.option(
    "--since",
    callback=instant,
    metavar="DATE",
    help="Only what that key signed from then on, UTC.",
)
@click.option("--why", required=True, help="The reason, for whoever is refused by it.")
@click.option("--key", "reference", metavar="KEY", help="A key that the trust file lists.")
@click.option(
    "--trust", type=click.Path(path_type=Path), default=Path("trust.yaml"), show_default=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where it goes; revocations beside the trust file if left out.",
)
def revoke(
    *,
    named: str | None,
    stage: str | None,
    model_digest: str | None,
    key_fingerprint: str | None,
    since: datetime | None,
    why: str,
    reference: str | None,
    trust: Path,
    out: Path | None,
) -> int:
    """Freeze one verdict, a model's bytes, or what a key has signed.

    Writes a signed statement by which verify and promote refuse (exit 4): beside the trust file,
    and for a URI, or for a model where MLFLOW_TRACKING_URI is set, beside the evidence in MLflow.
    Commit the folder: deleting it takes the revocation back wherever no tag of MLflow names it.
    """
    from aims_gate.attest.signers import load_signer
    from aims_gate.operations.revoke import Frozen, Revoking
    from aims_gate.operations.revoke import revoke as freeze

    frozen = Frozen(
        evidence=named,
        stage=stage,
        model_digest=model_digest,
        key_fingerprint=key_fingerprint,
        since=since,
    )
    signer = load_signer(reference, os.environ)
    how = Revoking(signer=signer, why=why, trust=trust, out=out, environ=os.environ)
    done = freeze(frozen, how, now=datetime.now(UTC))
    click.echo(f"revoked:    {done.subject}")
    click.echo(f"revocation: {done.file}")
    for place in done.places:
        click.echo(f"in MLflow:  {place}")
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
