"""A candidate and a champion, and what the gate makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from aims_gate.checks.performance.champion import Champion
from aims_gate.facts import Statistic
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.plan import plan
from aims_gate.policy.model import OnInsufficient, Policy, Role, Rule, Threshold
from aims_gate.sources.subject import ChampionModel, Data
from aims_gate.verdict import Result
from tests.checks.subjects import NOW, data, inputs, judged
from tests.support.laws import law

LAWS = law(15)
MARGIN = Threshold(at_least=-0.01)
BINARY_ROLES: dict[str, Any] = {
    "label": "y",
    "prediction": "p",
    "score": "s",
    "positive": 1,
    "key": "id",
}


def binary(seed: int = 0, rows: int = 3_000, *, noise: float = 0.3) -> tuple[Data, Data]:
    """A candidate, and a champion that knows a little less, in another order of rows."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.3).astype(int)
    signal = rng.normal(1.4 * y - 0.7, 1)
    score = np.round(1 / (1 + np.exp(-signal)), 3)
    other = np.round(1 / (1 + np.exp(-(signal + rng.normal(0, noise, rows)))), 3)
    ids = rng.permutation(10 * rows)[:rows]
    columns = {
        "id": ids,
        "y": y,
        "p": (score > 0.5).astype(int),
        "s": score,
        "n": rng.integers(0, 4, rows),
        "g": rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
        "age": rng.integers(18, 80, rows).astype(float),
    }
    order = rng.permutation(rows)
    answers = {"id": ids, "q": (other > 0.5).astype(int), "t": other}
    return data(columns, **BINARY_ROLES), champion({k: v[order] for k, v in answers.items()})


def champion(columns: Any, **spec: Any) -> Data:
    found = data(columns, Role.CHAMPION, **{"prediction": "q", "score": "t", **spec})
    return replace(found, identity=replace(found.identity, digest="1" * 64))


def numbers(seed: int = 0, rows: int = 2_000) -> tuple[Data, Data]:
    rng = np.random.default_rng(seed)
    y = rng.normal(10, 3, rows)
    ids = np.arange(rows)
    ours = data(
        {"id": ids, "y": y, "p": y + rng.normal(0, 1, rows)}, label="y", prediction="p", key="id"
    )
    return ours, champion({"id": ids, "q": y + rng.normal(0.1, 1.05, rows)}, score=None)


def arrays(ours: Data, theirs: Data) -> dict[str, Any]:
    """Both tables in the order of the key, as arrays."""
    tables = [d.frame.table.to_pydict() for d in (ours, theirs)]  # type: ignore[attr-defined]
    found: dict[str, Any] = {}
    for table in tables:
        order = np.argsort(table["id"])
        found |= {name: np.array(values)[order] for name, values in table.items()}
    return found


def only(check: Champion, *roles: Data, **options: Any) -> Statistic:
    (cell,) = judged(check, *roles, **options).values()
    return cell


def ruled(
    parameters: dict[str, Any], *roles: Data, found: ChampionModel | None = None, **rule: Any
) -> Result:
    """What the gate makes of a rule, with what the registry says of the alias."""
    made = Rule(
        id="PERF-02",
        check="performance.champion",
        parameters=parameters,
        **{"require": MARGIN, **rule},
    )
    (task,) = plan(Policy(id="p", version="1", rules=(made,))).sound()
    subject = replace(inputs(*roles).subject, champion=found)
    measured = measure(task, subject, now=NOW)
    return judge(task, measured, now=NOW, insufficient=OnInsufficient.BLOCK)
