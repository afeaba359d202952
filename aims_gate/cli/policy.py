"""`aims-gate policy`: check, test, compare and describe policies."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from aims_gate.absent import stand_in
from aims_gate.cli.group import CommandGroup
from aims_gate.cli.options import pairs, policy_base_option
from aims_gate.cli.org_option import org_option
from aims_gate.cli.policy_data import power, simulate


@click.group(cls=CommandGroup)
def policy() -> None:
    """Check, test, pin, compare and describe policies."""


@policy.command()
@click.argument("paths", nargs=-1, metavar="[POLICY]...")
@click.option("--quiet", is_flag=True, help="Print nothing where a policy is sound.")
@click.option(
    "--data",
    multiple=True,
    callback=pairs("ROLE=URI"),
    metavar="ROLE=URI",
    help="Data that the rules will read; says which of them cannot. Repeatable.",
)
def check(paths: tuple[str, ...], *, quiet: bool, data: dict[str, str]) -> None:
    """Prove that each POLICY is sound; print every problem at once, each with its line.

    POLICY is policy.yaml if left out. No data are read, those of --data neither.
    """
    stand_in(installed=True)  # it computes nothing, and a hook before each commit is to be quick
    from aims_gate.errors import PolicyError, Problem
    from aims_gate.plan import plan, unserved, warns_only
    from aims_gate.policy.data_roles import roles_of
    from aims_gate.policy.resolve import check as read

    given = roles_of(data)
    wrong: list[Problem] = []
    refused = False
    for path in paths or ("policy.yaml",):
        resolved, problems = read(path, environ=os.environ)
        now = datetime.now(UTC)
        planned = plan(resolved, now=now, beside=True) if resolved is not None else None
        if resolved is not None and planned is not None:
            problems += planned.problems
            problems += tuple(unserved(planned.tasks, resolved, given))
        wrong += problems
        if resolved is None or planned is None or problems:
            refused = True
            continue
        if quiet:
            continue
        counted = f"{len(planned.tasks)} rule{'s' if len(planned.tasks) != 1 else ''}"
        click.echo(
            f"{resolved.uri}: sound: {counted}, {resolved.id} {resolved.version}, "
            f"sha256:{resolved.digest}"
        )
        if warns_only(resolved):
            click.echo("nothing blocks here: include it beside a policy that decides")
    if refused:
        raise PolicyError(wrong)


@policy.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
def test(path: str) -> int:
    """Run the tests in POLICY, policy.yaml if left out; exit 1 if one fails."""
    stand_in()
    from aims_gate.operations.policy_tests import run_tests
    from aims_gate.policy.resolve import load

    tested = run_tests(load(path, environ=os.environ), now=datetime.now(UTC))
    red = 0
    for one in tested:
        click.echo(f"{'not ok' if one.differences else 'ok'}  {one.test.name}")
        for difference in one.differences:
            click.echo(f"        {difference} ({one.test.place})")
        red += bool(one.differences)
    click.echo(f"{len(tested) - red} of {len(tested)} policy tests hold")
    return 1 if red else 0


@policy.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
@click.option("--key", help="Private key, as for run. Or set AIMS_GATE_SIGNING_KEY.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    default=Path("trust.yaml"),
    show_default=True,
    help="Whose keys may sign policies.",
)
def sign(path: str, *, key: str | None, trust: Path) -> int:
    """Sign POLICY, with all that it extends, as the person whose key it is.

    Writes the statement beside it; `run --require-signed-policy` refuses a policy without one.
    """
    stand_in()
    from aims_gate.attest import trust_file
    from aims_gate.attest.signers import load_signer
    from aims_gate.evidence.signed_policy import sign_policy
    from aims_gate.policy.resolve import load

    signer = load_signer(key, os.environ)
    found = load(path, environ=os.environ)
    name = sign_policy(found, signer, trust=trust_file.load(trust), now=datetime.now(UTC))
    click.echo(f"signed: {Path(path).parent / name}.dsse.json, sha256:{found.digest}")
    return 0


@policy.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
def pin(path: str) -> None:
    """Write into POLICY the sha256 of each parent it names by uri; print what changed.

    Comments and layout stay as they are. Read what changed in a parent before you pin it.
    """
    from aims_gate.policy.pin import pin as write

    found = write(Path(path), environ=os.environ)
    for one in found:
        became = f"{one.before} -> {one.after}" if one.before else f"added {one.after}"
        stays = one.before == one.after
        click.echo(f"{path}:{one.line}: {one.uri}: sha256 {'as pinned' if stays else became}")
    changed = sum(one.before != one.after for one in found)
    click.echo(f"{path}: {changed} of {len(found)} digests changed; packs are pinned by version")


@policy.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
@click.option("--by", required=True, metavar="PERSON", help="Who adopts them.")
@click.option("--pack", default="", metavar="NAME@VERSION", help="All that are open if left out.")
@org_option
def adopt(path: str, *, by: str, pack: str, org: Path) -> None:
    """Take the limits of a pack for the organisation's own; a line of POLICY says who did.

    Prints the limits: read them first. Until then reports say that nobody here has adopted them.
    """
    stand_in()
    from aims_gate.harmless import plain
    from aims_gate.operations.policy_adopt import adopt as write

    today = datetime.now(UTC).date()
    for one in write(Path(path), by=by, pack=pack, today=today, environ=os.environ, org=org):
        for rule, limit in one.limits:
            click.echo(f"  {plain(rule)}  {plain(limit)}")
        click.echo(plain(f"{one.pack}: {len(one.limits)} limits, adopted by {by} on {today}"))
    click.echo(f"{path} has changed: have it reviewed, or sign it with aims-gate policy sign")


@policy.command()
@click.argument("path", default="policy.yaml", metavar="[POLICY]")
@policy_base_option
def extras(path: str, *, policy_base: str | None) -> None:
    """Print the extras of aims-gate that a run by POLICY needs: run or gate, and ibis for tables.

    Stores that only MLflow's own client speaks to, by MLFLOW_TRACKING_URI, count too.
    """
    stand_in()
    from aims_gate.operations.extras import extras as needed
    from aims_gate.policy.base import open_base
    from aims_gate.policy.resolve import load

    with open_base(policy_base, os.environ) as base:
        found = load(path, environ=os.environ, base=base)
    click.echo(" ".join(needed(found, os.environ)))


@policy.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--fail-on-loosen", is_flag=True, help="Exit 1 if anything is loosened, changed or removed."
)
@click.option(
    "--require-why",
    is_flag=True,
    help="Exit 1 if a rule is loosened without a new why, or something that can have none.",
)
@policy_base_option
def diff(
    old: str, new: str, *, fail_on_loosen: bool, require_why: bool, policy_base: str | None
) -> int:
    """Say per rule and key what NEW tightens, loosens or changes against OLD.

    Each is a policy file or pack:NAME@VERSION, and with --policy-base OLD is read at that commit.
    Compared is what is applied: parents are merged and defaults filled in.
    """
    stand_in()
    from aims_gate.operations.policy_diff import diff as compare
    from aims_gate.operations.policy_diff import told, unexplained
    from aims_gate.policy.base import open_base
    from aims_gate.policy.resolve import load
    from aims_gate.policy.tightness import LOOSENING

    with open_base(policy_base, os.environ) as base:
        before = load(old, environ=os.environ, base=base)
    after = load(new, environ=os.environ)
    found = compare(before, after)
    for one in (before, after):
        click.echo(f"{'--- ' if one is before else '+++ '}{one.uri} ({one.id} {one.version})")
    for line in told(found):
        click.echo(line)
    loosened = fail_on_loosen and any(one.change in LOOSENING for one in found)
    return 1 if loosened or (require_why and unexplained(found)) else 0


@policy.command()
@click.argument("kind", default="policy")
def schema(kind: str) -> None:
    """Print the JSON Schema of policy, trust, registry or config files (KIND), for editors."""
    from aims_gate.documents.kinds import KINDS

    click.echo(json.dumps(KINDS[kind].schema(), indent=2))


@policy.command()
@click.argument("name", required=False)
def checks(name: str | None) -> None:
    """List the checks, or print the page of the check NAME."""
    stand_in()
    from aims_gate.checks import CHECKS
    from aims_gate.operations.explain import explain_check

    if name is not None:
        click.echo(explain_check(name), nl=False)
        return
    width = max(map(len, CHECKS))
    for known in CHECKS:
        click.echo(f"{known:<{width}}  {CHECKS[known].about.summary}")


policy.add_command(simulate)
policy.add_command(power)
