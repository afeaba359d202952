"""`aims-gate waiver` and `aims-gate approval`: what people sign about a rule or a model."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.cli.expectations import as_age
from aims_gate.cli.group import CommandGroup

if TYPE_CHECKING:
    from aims_gate.operations.signoff import Asked, SignedOff

_EVIDENCE = click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The evidence directory that `run` wrote.",
)
_WHY = click.option("--why", default="", help="The justification; a TODO is written if left out.")
_BY = click.option("--by", required=True, metavar="PERSON", help="Who asks.")
_UNTIL = click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The day on which it ends, 00:00 UTC."
)
key_option = click.option("--key", help="The approver's private key; or set AIMS_GATE_SIGNING_KEY.")
trust_option = click.option(
    "--trust",
    type=click.Path(path_type=Path),
    default=Path("trust.yaml"),
    show_default=True,
    help="Whose keys may approve.",
)
_FOLDER = Path("waivers")


@click.group(cls=CommandGroup)
def waiver() -> None:
    """Exceptions to a rule, for a time, signed by somebody who did not ask for them."""


@waiver.command("draft")
@click.argument("rule")
@_EVIDENCE
@click.option("--limit", type=float, help="How bad the value may be; today's if left out.")
@click.option(
    "--model-pattern",
    "pattern",
    default="",
    metavar="GLOB",
    help="For later versions of these registered models too, where the policy allows it.",
)
@click.option("--uses", type=int, help="With --model-pattern: for how many evaluations.")
@_UNTIL
@_BY
@_WHY
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write; waivers/ID.yaml if left out, - for stdout.",
)
def draft_waiver(
    *,
    rule: str,
    evidence: Path,
    limit: float | None,
    pattern: str,
    uses: int | None,
    until: datetime | None,
    by: str,
    why: str,
    out: Path | None,
) -> int:
    """Write the draft of a waiver for RULE, which a run refused; sign it with `waiver approve`."""
    from aims_gate.operations import signoff

    asked = _asked(evidence, by, why, until)
    text = signoff.draft_waiver(rule, asked, limit=limit, pattern=pattern, uses=uses)
    return drafted(text, out, _FOLDER, "waiver")


@waiver.command("approve")
@click.argument("draft", type=click.Path(path_type=Path))
@key_option
@trust_option
def approve_waiver(*, draft: Path, key: str | None, trust: Path) -> int:
    """Sign DRAFT as the person whose key it is; the person who requested it cannot."""
    return approved(draft, key, trust)


@waiver.command("list")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=_FOLDER, show_default=True, metavar="DIR"
)
@click.option("--due", callback=as_age, metavar="AGE", help="Only what ends within: 30d.")
@trust_option
def list_waivers(*, folder: Path, due: timedelta | None, trust: Path) -> int:
    """List waivers, the first to end first, and the day from which their rules refuse again."""
    from aims_gate.harmless import plain
    from aims_gate.operations.waiver_list import listing

    now = datetime.now(UTC)
    known = trust if trust.exists() else None
    rows = [
        one
        for one in listing(folder, known, now=now)
        if due is None or (one.expires is not None and one.expires - now <= due)
    ]
    for one in rows:
        ends = f"until {one.expires:%Y-%m-%d %H:%MZ}" if one.expires else "no end"
        click.echo(plain(f"{one.id}  {one.state:<13}  {ends}  {one.what}; {one.detail}"))
    for one in rows:
        if one.state == "signed" and one.expires is not None:
            days = (one.expires - now) / timedelta(days=1)
            click.echo(
                plain(f"from {one.expires:%Y-%m-%d}, in {days:.1f} days: {one.what} refuses")
            )
    if not rows:
        click.echo("no waivers" if due is None else "no waiver ends so soon")
    return 0


@click.group(cls=CommandGroup)
def approval() -> None:
    """A person's signed yes, in a role, to the very bytes of a model."""


@approval.command("draft")
@click.argument("role")
@_EVIDENCE
@_UNTIL
@_BY
@_WHY
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write; approvals/ID.yaml if left out, - for stdout.",
)
def draft_approval(
    *, role: str, evidence: Path, until: datetime | None, by: str, why: str, out: Path | None
) -> int:
    """Write the draft of an approval in ROLE, such as validator, of a model that was judged.

    Sign it with `approval approve`, or commit it with a commit that is signed by an SSH key.
    """
    from aims_gate.operations import signoff

    text = signoff.draft_approval(role, _asked(evidence, by, why, until))
    return drafted(text, out, Path("approvals"), "approval")


@approval.command("approve")
@click.argument("draft", type=click.Path(path_type=Path))
@key_option
@trust_option
def approve_approval(*, draft: Path, key: str | None, trust: Path) -> int:
    """Sign DRAFT as the person whose key it is."""
    return approved(draft, key, trust)


def _asked(evidence: Path, by: str, why: str, until: datetime | None) -> Asked:
    from aims_gate.operations.signoff import Asked

    return Asked(
        evidence=evidence,
        requested_by=by,
        why=why,
        expires=None if until is None else until.replace(tzinfo=UTC),
        now=datetime.now(UTC),
    )


def drafted(text: str, out: Path | None, folder: Path, group: str) -> int:
    """Save a draft, and say how it is signed."""
    from aims_gate.operations import signoff

    if out is not None and str(out) == "-":
        click.echo(text, nl=False)
        return 0
    path = signoff.save(text, out, folder)
    click.echo(f"draft: {path}")
    click.echo("complete it, have it reviewed, and let the approver sign:")
    click.echo(f"  aims-gate {group} approve {path} --key KEY")
    return 0


def approved(draft: Path, key: str | None, trust: Path) -> int:
    """Sign a draft of any kind as the person whose key it is."""
    from aims_gate.attest.signers import load_signer
    from aims_gate.operations import signoff

    signed: SignedOff = signoff.approve(
        draft, load_signer(key, os.environ), trust, now=datetime.now(UTC)
    )
    click.echo(f"approved by {signed.person} until {signed.text.expires:%Y-%m-%dT%H:%M:%SZ}")
    click.echo(f"signed: {signed.path}")
    return 0
