"""The tables: nothing wrong, something wrong, and how often intervals hold the truth."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import draws
import group_sizes
import intervals
import packs
import peers
import serious
import serious_drawn
from draws import Rng, Values
from exact import QUANTILES, RULES, exact
from gate import BIAS, DRIFT, Draw, decided, outcomes
from scipy.special import ndtr

from aims_gate.checks import CHECKS
from aims_gate.verdict import Outcome

Row = Sequence[str]
_SIZES = (30, 100, 1000, 10_000)
"""Rows of a proportion."""
_LARGE = 20_000
"""From so many rows on, others are asked about some of the draws only: they take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A title, column heads, and rows of text."""

    title: str
    heads: Row
    rows: Iterator[Row]


def tables(rng: Rng, runs: int, *, largest: int) -> Iterator[Table]:
    """Give every table; *runs* draws a row, fewer from 10,000 rows on, none above *largest*."""
    yield Table(
        title="Nothing is wrong: percent of policies that end so",
        heads=(
            "rows", "columns", "groups", "runs", "FAIL", "INSUFFICIENT", "WARN",
            "runs of others", "Evidently, any column", "Evidently, half", "PSI > 0.1", "PSI > 0.25",
            "Fairlearn < 0.8",
        ),
        rows=_quiet(rng, runs, largest),
    )  # fmt: skip
    yield Table(
        title="One group of 200 is selected less often: percent refused",
        heads=(
            "groups of 200", "base rate", "true ratio", "runs", "FAIL", "FAIL or INSUFFICIENT",
            "PASS", "Fairlearn < 0.8",
        ),
        rows=_ratios(rng, runs),
    )  # fmt: skip
    yield Table(
        title="One of 20 columns moved: percent refused",
        heads=(
            "rows a side", "what happened", "runs", "FAIL", "FAIL or INSUFFICIENT", "WARN",
            "Evidently, any column", "Evidently, half", "PSI > 0.25",
        ),
        rows=_moved(rng, runs),
    )  # fmt: skip
    yield Table(
        title="Rows in clusters, nothing is wrong, 20 columns: percent of policies that end so",
        heads=(
            "rows a side", "cluster", "correlation", "design effect", "runs", "FAIL", "WARN",
            "FAIL, divided", "WARN, divided", "INSUFFICIENT, divided", "Evidently, any column",
        ),
        rows=_clustered(rng, runs),
    )  # fmt: skip
    yield Table(
        title="Intervals at 95 %: percent that hold the truth (truth below, above; none given)",
        heads=("quantity and truth", "n = 30", "n = 100", "n = 1,000"),
        rows=intervals.rows_of_table(rng, runs),
    )
    yield Table(
        title="Proportions: least coverage over all rates, mean (error of the worse side / aim)",
        heads=("rule", "z, nominal", *(f"n = {rows:,}" for rows in _SIZES)),
        rows=_proportions(),
    )
    yield Table(
        title="A serious effect of one pair, at the worst of 70 rates: percent let through, exact",
        heads=(
            "rows of the group behind, of the other",
            "ratio 0.60 (at rate)",
            "gap 0.20 (at rate)",
        ),
        rows=_let_through(),
    )
    yield Table(
        title="A serious effect of other statistics: percent let through, 50 draws a run",
        heads=serious_drawn.HEADS,
        rows=serious_drawn.rows_of_table(seeded(5), 50 * runs),
    )
    yield Table(
        title="Groups at every size, impact ratio: percent of draws that end so",
        heads=group_sizes.HEADS,
        rows=group_sizes.rows_of_tables(seeded(2), runs, largest),
    )
    yield Table(
        title="Marks at a base rate of 0.3: percent decided where nothing is wrong",
        heads=("groups", "rows", "mark", "decided", "by the first rule"),
        rows=group_sizes.marks(seeded(3), runs),
    )
    yield Table(
        title="The packs on fair and good models: percent that FAIL, WARN, are INSUFFICIENT",
        heads=packs.HEADS,
        rows=packs.rows_of_table(seeded(4), max(runs // 5, 1), largest),
    )


def _quiet(rng: Rng, runs: int, largest: int) -> Iterator[Row]:
    for rows, columns, groups in (
        (100, 1, 9), (100, 20, 2), (500, 1, 2), (500, 20, 4), (1000, 100, 4), (2000, 20, 9),
        (10_000, 20, 9), (10_000, 100, 2), (100_000, 20, 9), (1_000_000, 20, 9),
    ):  # fmt: skip
        if rows > largest:
            continue
        tries = runs if rows <= 100_000 else max(2, runs * 2 // 5)
        compared = runs if rows < _LARGE else max(2, runs * _LARGE // (10 * rows))

        def draw(rows: int = rows, columns: int = columns, groups: int = groups) -> Draw:
            return Draw(
                evaluation=draws.people(rng, rows, groups),
                reference=draws.columns(rng, rows, columns),
                current=draws.columns(rng, rows, columns),
            )

        ours, theirs = _count(draw, tries, decided, _peers, compared=compared)
        yield (
            f"{rows:,}", str(columns), str(groups), str(tries),
            *(_percent(ours[o], tries) for o in (Outcome.FAIL, Outcome.INSUFFICIENT, Outcome.WARN)),
            str(compared), *(_percent(theirs[name], compared) for name in _PEERS),
        )  # fmt: skip


def _ratios(rng: Rng, runs: int) -> Iterator[Row]:
    for groups in (2, 4, 9):
        for rate, ratio in ((0.3, 1.0), (0.3, 0.6), (0.6, 0.6), (0.1, 0.6), (0.3, 0.5)):

            def draw(groups: int = groups, rate: float = rate, ratio: float = ratio) -> Draw:
                return Draw(evaluation=draws.pairs(rng, (200,) * groups, rate, ratio=ratio))

            ours, theirs = _count(draw, runs, _impact_ratio, _bare_ratio)
            yield (
                str(groups), f"{rate:g}", f"{ratio:g}", str(runs), *_refused(ours, runs),
                _percent(ours[Outcome.PASS], runs), _percent(theirs["ratio"], runs),
            )  # fmt: skip


def _moved(rng: Rng, runs: int) -> Iterator[Row]:
    for rows in (500, 1000, 10_000):
        for what, effect in draws.EFFECTS.items():

            def draw(rows: int = rows, effect: Callable[[Rng, Values], Values] = effect) -> Draw:
                before = {f"x{i:02d}": rng.normal(size=rows) for i in range(20)}
                after = {name: rng.normal(size=rows) for name in before}
                return Draw(reference=before, current=after | {"x00": effect(rng, after["x00"])})

            tries = runs if rows < 5000 else max(2, runs // 5)
            ours, theirs = _count(draw, tries, decided, _peers)
            yield (
                f"{rows:,}", what, str(tries), *_refused(ours, tries),
                _percent(ours[Outcome.WARN], tries), _percent(theirs["any"], tries),
                _percent(theirs["half"], tries), _percent(theirs["psi25"], tries),
            )  # fmt: skip


def _clustered(rng: Rng, runs: int) -> Iterator[Row]:
    """Judge the same draws as they are, and with rows divided by the design effect."""
    for rows in (1000, 10_000):
        for size, icc in ((10, 0.2), (10, 0.8), (50, 0.2), (50, 0.8)):
            effect = 1 + (size - 1) * icc
            tries = runs if rows < 5000 else max(2, runs // 5)
            plain: Counter[Outcome] = Counter()
            divided: Counter[Outcome] = Counter()
            theirs = 0
            for _ in range(tries):
                one = Draw(
                    reference=draws.clustered(rng, rows, size, icc),
                    current=draws.clustered(rng, rows, size, icc),
                )
                columns = ["drift.columns"]
                plain[outcomes(one, checks=columns)["drift.columns"]] += 1
                found = outcomes(one, checks=columns, design_effect=effect)
                divided[found["drift.columns"]] += 1
                theirs += any(peers.evidently_drifted(one.reference, one.current))
            yield (
                f"{rows:,}", str(size), f"{icc:g}", f"{effect:g}", str(tries),
                *(_percent(plain[o], tries) for o in (Outcome.FAIL, Outcome.WARN)),
                *(
                    _percent(divided[o], tries)
                    for o in (Outcome.FAIL, Outcome.WARN, Outcome.INSUFFICIENT)
                ),
                _percent(theirs, tries),
            )  # fmt: skip


def _proportions() -> Iterator[Row]:
    """Compute from the binomial law, without a draw."""
    for z in QUANTILES:
        nominal = 100 * (1 - 2 * ndtr(-z))
        for rule in RULES:
            found = [exact(rule, rows, z) for rows in _SIZES]
            cells = (f"{one.least:.1f}, {one.mean:.1f} ({one.worst:.1f})" for one in found)
            yield rule, f"{z:.2f}, {nominal:.1f}", *cells


def _let_through() -> Iterator[Row]:
    for worse, better in itertools.product((30, 60, 150, 500, 2_000), repeat=2):
        found = (serious.let_through(worse, better, measure) for measure in serious.SERIOUS)
        yield f"{worse:,}, {better:,}", *(f"{most:.2f} ({rate:.3g})" for most, rate in found)


_PEERS = ("any", "half", "psi10", "psi25", "ratio")


def _peers(draw: Draw) -> Mapping[str, bool]:
    drifted = peers.evidently_drifted(draw.reference, draw.current)
    psi = max(peers.bare_psi(draw.reference, draw.current))
    return {
        "any": any(drifted),
        "half": 2 * sum(drifted) >= len(drifted),
        "psi10": psi > 0.1,
        "psi25": psi > 0.25,
        **(_bare_ratio(draw) if draw.evaluation else {}),
    }


def _bare_ratio(draw: Draw) -> Mapping[str, bool]:
    return {"ratio": peers.bare_ratio(draw.evaluation) < 0.8}


def _impact_ratio(draw: Draw) -> Outcome:
    return outcomes(draw, checks=["fairness.impact_ratio"])["fairness.impact_ratio"]


def _count(
    draw: Callable[[], Draw],
    runs: int,
    ours: Callable[[Draw], Outcome],
    theirs: Callable[[Draw], Mapping[str, bool]],
    *,
    compared: int | None = None,
) -> tuple[Counter[Outcome], Counter[str]]:
    """Decide the same draws by our gate and, the first *compared* or all, by the others."""
    mine: Counter[Outcome] = Counter()
    other: Counter[str] = Counter()
    for number in range(runs):
        one = draw()
        mine[ours(one)] += 1
        if compared is None or number < compared:
            other.update(name for name, refused in theirs(one).items() if refused)
    return mine, other


def _refused(found: Counter[Outcome], runs: int) -> Row:
    fail = found[Outcome.FAIL]
    return _percent(fail, runs), _percent(fail + found[Outcome.INSUFFICIENT], runs)


def _percent(count: int, runs: int) -> str:
    return f"{100 * count / runs:.3g}"


def default_checks() -> list[str]:
    """Name the checks of the default policy that this version has."""
    return [name for name in (*DRIFT, *BIAS) if name in CHECKS]


def seeded(seed: int) -> Any:
    """Give the generator of every draw."""
    import numpy as np

    return np.random.default_rng(seed)
