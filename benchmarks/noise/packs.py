"""The packs on fair and good models: how each of their statistical rules ends, and all together.

Rules without an interval are about files and runs, which no draw has.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import draws
from draws import Rng
from gate import Draw, judged

from aims_gate.plan import Task, plan
from aims_gate.policy.model import Role
from aims_gate.policy.resolve import load
from aims_gate.verdict import Outcome, worst

PACKS = ("sme-starter@1.0.0", "sme-starter@1.1.0", "release@1.2.0")
"""In earlier versions of `release` the rules about data are those of the last one."""
_RULES = ("all", "DATA-02", "PERF-01", "BIAS-02", "BIAS-03", "MON-01")
HEADS = ("pack", "rows", "races", *_RULES)
_SHOWN = (Outcome.FAIL, Outcome.WARN, Outcome.INSUFFICIENT)
_READ = {Role.EVALUATION, Role.REFERENCE, Role.CURRENT}


def rows_of_table(rng: Rng, runs: int, largest: int) -> Iterator[tuple[str, ...]]:
    """Give for each pack, size and rule the percent of draws that FAIL, WARN, are INSUFFICIENT."""
    sizes = [rows for rows in (500, 2_000, 10_000) if rows <= max(largest, 500)]
    for pack, rows, races in itertools.product(PACKS, sizes, (2, 4)):
        tasks = _tasks(pack)
        found = {name: Counter[Outcome]() for name in ("all", *(task.rule.id for task in tasks))}
        for _ in range(runs):
            draw = _fair(rng, rows, races)
            ends = {task.rule.id: judged(task, draw) for task in tasks}
            for rule, outcome in (ends | {"all": worst(ends.values())}).items():
                found[rule][outcome] += 1
        cells = (_cell(found[rule], runs) if rule in found else "-" for rule in _RULES)
        yield pack, f"{rows:,}", str(races), *cells


def _cell(counted: Counter[Outcome], runs: int) -> str:
    return ", ".join(f"{100 * counted[outcome] / runs:.3g}" for outcome in _SHOWN)


def _tasks(pack: str) -> tuple[Task, ...]:
    """Give the rules of a pack that are about data, decided by our own engine."""
    policy = load(f"pack:{pack}")
    rules = tuple(
        replace(rule, engine=None, parameters=rule.parameters | {"by": ["sex", "race"]})
        if rule.check.startswith("fairness.")
        else replace(rule, engine=None)
        for rule in policy.rules
    )
    tasks = plan(replace(policy, engine="native", rules=rules, declare=())).sound()
    return tuple(t for t in tasks if t.judged.has_interval and set(t.roles) <= _READ)


def _fair(rng: Rng, rows: int, races: int) -> Draw:
    people = draws.people(rng, rows, races)
    score = rng.normal(people["label"] * 1.5, 1.0)
    columns = {"score": score, "prediction": (score > 0.75).astype(int)}
    return Draw(
        evaluation=people | columns,
        reference=draws.columns(rng, rows, 20),
        current=draws.columns(rng, rows, 20),
    )
