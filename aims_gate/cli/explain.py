"""`aims-gate explain`: a policy in words."""

from __future__ import annotations

import os

import click

from aims_gate.absent import stand_in
from aims_gate.errors import UsageError, near


@click.command()
@click.argument("policy", default="policy.yaml")
@click.argument("rule", required=False)
def explain(policy: str, rule: str | None) -> None:
    """Say in words what each rule of POLICY, or one RULE, measures and requires.

    Per rule: what is measured on which data, the threshold, who carries the burden of proof, and
    the controls it supports. POLICY is policy.yaml if left out.
    """
    stand_in()
    from aims_gate.operations.explain import explain_rule
    from aims_gate.plan import plan
    from aims_gate.policy.resolve import load

    resolved = load(policy, environ=os.environ)
    tasks = {task.rule.id: task for task in plan(resolved).sound()}
    if rule is not None and rule not in tasks:
        raise UsageError(f"no rule {rule!r}", where=policy, hint=near(rule, tasks))
    if rule is None:
        click.echo(f"{resolved.id} {resolved.version} ({resolved.uri}), sha256:{resolved.digest}\n")
    chosen = list(tasks.values()) if rule is None else [tasks[rule]]
    click.echo("\n".join(explain_rule(task, resolved) for task in chosen), nl=False)
