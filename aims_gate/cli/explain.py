"""`aims-gate explain`: a policy in words."""

from __future__ import annotations

import os
from pathlib import Path

import click

from aims_gate import canonical
from aims_gate.absent import stand_in
from aims_gate.cli.options import pairs
from aims_gate.errors import UsageError, near


@click.command()
@click.argument("policy", default="policy.yaml")
@click.argument("rule", required=False)
@click.option(
    "--data",
    multiple=True,
    callback=pairs("ROLE=URI"),
    metavar="ROLE=URI",
    help="Data of a role, to say what they can decide. Repeatable.",
)
def explain(policy: str, rule: str | None, *, data: dict[str, str]) -> None:
    """Say in words what each rule of POLICY, or one RULE, measures and requires.

    Per rule: what is measured on which data, the threshold, who carries the burden of proof, and
    the controls it supports; with --data also how likely such data decide it, and what to collect.
    POLICY is policy.yaml if left out. Of an evidence directory it is the policy that was applied,
    with what was decided, when, by whom, and each rule's outcome and values; the files must name
    each other. Whose evidence that is, `verify` says.
    """
    if not data:
        stand_in()
    from aims_gate.evidence.layout import POLICY_FILE
    from aims_gate.operations.explain import explain_rule
    from aims_gate.operations.explain_evidence import open_evidence
    from aims_gate.operations.policy_power import power_of_data
    from aims_gate.operations.power_shown import table
    from aims_gate.plan import plan
    from aims_gate.policy.resolve import load

    applied = Path(policy, POLICY_FILE)
    past = open_evidence(Path(policy)) if applied.is_file() else None
    if past is not None:
        note = f"aims-gate: not verified here; aims-gate verify {policy} says whose it is"
        click.echo(note, err=True)
    resolved = load(policy if past is None else str(applied), environ=os.environ)
    tasks = {task.rule.id: task for task in plan(resolved).sound()}
    if rule is not None and rule not in tasks:
        raise UsageError(f"no rule {rule!r}", where=policy, hint=near(rule, tasks))
    if rule is None:
        # what was applied is known by the digest of its file, which says where it came from, too
        digest = resolved.digest if past is None else canonical.sha256_file(applied)
        click.echo(f"{resolved.id} {resolved.version} ({resolved.uri}), sha256:{digest}")
        click.echo("" if past is None else past.head(resolved))
    chosen = list(tasks.values()) if rule is None else [tasks[rule]]
    powers = {one.rule: one for one in power_of_data(resolved, data)} if data else {}
    told = []
    for task in chosen:
        head, _, body = explain_rule(task, resolved).partition("\n")
        text = f"{head}\n{'' if past is None else past.outcome(task)}{body}"
        if task.rule.id in powers:
            text += "".join(f"  {line}\n" for line in table([powers[task.rule.id]]))
        told.append(text)
    if past is not None:
        told.append(past.numbers(chosen[0].rule.id if rule is None else rule))
    click.echo("\n".join(told), nl=False)
