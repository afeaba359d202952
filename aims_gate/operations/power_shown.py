"""Power analysis shown as a table for a terminal, or as a self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from aims_gate.facts import POWER
from aims_gate.operations.policy_power import RulePower
from aims_gate.pages.charts import sizes
from aims_gate.pages.environment import html
from aims_gate.pages.figures import Allowance, Listing
from aims_gate.pages.svg import available
from aims_gate.sentences import display, power_sentence, rows_wanted
from aims_gate.verdict import CellPower, Power

_HEADS = ("cell", "rows now", f"rows for {POWER:.0%}", "ruled out now")


def table(powers: Sequence[RulePower]) -> Iterator[str]:
    """Write a table a rule: chance, smallest effect, and each cell's rows now and then."""
    for one in powers:
        head = f"{one.rule} {one.check}"
        if one.power is None:
            yield f"{head}: {one.why}"
            continue
        yield f"{head}: {power_sentence(one.power)}"
        if one.why:
            yield f"  cannot be judged: {one.why}"
        yield f"  {_smallest(one, one.power)}"
        rows = [_HEADS, *(_row(one, cell) for cell in one.power.cells)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for cells in rows:
            first, *rest = (f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
            yield f"    {first.strip():<{widths[0]}}  {'  '.join(rest)}"


def page(powers: Sequence[RulePower], *, title: str) -> str:
    """Write one self-contained HTML page: no script, and no external style or picture."""
    allowance = Allowance()
    sections = [_section(one, allowance) for one in powers]
    return html("power.html", title=title, sections=sections, drawn=available())


def _section(one: RulePower, allowance: Allowance) -> tuple[str, list[str], Markup | None, Listing]:
    """Name of a rule, what is said of it, and the rows of its groups as picture and table."""
    power = one.power
    if power is None:
        return f"{one.rule} {one.check}", [one.why], None, Listing(caption="", heads=(), rows=())
    why = [f"cannot be judged: {one.why}"] if one.why else []
    lines = [power_sentence(power), *why, _smallest(one, power)]
    groups = [*{cell.group: cell for cell in power.cells}.values()]
    image = allowance.draw(lambda: sizes(groups), power_sentence(power)) if groups else None
    rows = [_row(one, cell) for cell in power.cells]
    return f"{one.rule} {one.check}", lines, image, allowance.listing(one.rule, _HEADS, rows)


def _smallest(one: RulePower, power: Power) -> str:
    name = display(one.statistic)
    asked = f"the rule asks {power.rows:,} {power.what} to"
    if one.floor is not None:
        better = "more" if one.higher_is_better else "less"
        return f"{asked} prove {name} {one.floor:.3g} or {better}"
    asked += f" rule out {name} {_past(one, power.serious)}"
    smallest = "nothing" if math.isnan(one.smallest) else _past(one, one.smallest)
    return f"{asked}; in {POWER:.0%} of cases they rule out {smallest}"


def _past(one: RulePower, value: float) -> str:
    return f"{'below' if one.higher_is_better else 'above'} {value:.3g}"


def _row(one: RulePower, cell: CellPower) -> tuple[str, str, str, str]:
    return (
        cell.slice or "all rows",
        f"{cell.rows:,}",
        rows_wanted(cell.rows, cell.wanted),
        "nothing" if cell.excluded is None else _past(one, cell.excluded),
    )
