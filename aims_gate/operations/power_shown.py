"""Power analysis shown as a table for a terminal, or as a self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from aims_gate.facts import POWER
from aims_gate.operations.policy_power import RulePower
from aims_gate.sentences import display, power_sentence
from aims_gate.verdict import CellPower, Power

_HEADS = ("cell", "rows now", f"rows for {POWER:.0%}", "ruled out now")
_WIDE, _BAR = 640, 18
"""Width of the picture, and height of a bar, in its own units."""


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
    body = "\n".join(_section(one) for one in powers) or "<p>No rule is about data.</p>"
    name = escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>\n'
        "<style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;"
        "border-bottom:1px solid #ccc}td:first-child,th:first-child{text-align:left}"
        "</style></head>\n"
        f"<body><h1>What these data can decide: {name}</h1>\n"
        f"<p>Dark: rows that are there. Light: rows for which the rule is decided in "
        f"{POWER:.0%} of cases if nothing is wrong.</p>\n"
        f"{body}\n</body></html>\n"
    )


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
        "no number" if cell.wanted is None else f"{cell.wanted:,}",
        "nothing" if cell.excluded is None else _past(one, cell.excluded),
    )


def _section(one: RulePower) -> str:
    head = f"<h2>{escape(one.rule)} {escape(one.check)}</h2>"
    if one.power is None:
        return f"{head}\n<p>{escape(one.why)}</p>"
    why = [f"cannot be judged: {one.why}"] if one.why else []
    lines = [power_sentence(one.power), *why, _smallest(one, one.power)]
    told = f"<p>{'.<br/>'.join(map(escape, lines))}.</p>"
    heads = "".join(f"<th>{escape(text)}</th>" for text in _HEADS)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in _row(one, cell))}</tr>"
        for cell in one.power.cells
    )
    shown = f"<table><tr>{heads}</tr>\n{rows}</table>"
    return f"{head}\n{told}\n{_picture(one.power)}\n{shown}"


def _picture(power: Power) -> str:
    """Draw the rows of each group, those that are there over those that are wanted."""
    groups = list({cell.group: cell for cell in power.cells}.values())
    most = max((max(cell.rows, cell.wanted or 0) for cell in groups), default=0) or 1
    height, bars = 2 * _BAR * len(groups) + 4, []
    for place, cell in enumerate(groups):
        top, name = 2 * _BAR * place, cell.group or "all rows"
        wanted = "no number would do" if cell.wanted is None else f"{cell.wanted:,} wanted"
        now, then = (_WIDE * n / most for n in (cell.rows, cell.wanted or 0))
        told = f"{escape(name)}: {cell.rows:,} rows, {wanted}"
        bars.append(f'<text x="0" y="{top + 14}" font-size="13">{told}</text>')
        bars += [
            f'<rect x="0" y="{top + _BAR}" width="{width:.0f}" height="14" fill="{colour}"/>'
            for width, colour in ((then, "#b9cfe4"), (now, "#2b5d8c"))
        ]
    label = escape(power_sentence(power), quote=True)
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {_WIDE} {height}" width="{_WIDE}" '
        f'height="{height}">{"".join(bars)}</svg>'
    )
