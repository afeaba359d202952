"""Status of an AI management system: a line a model, the quarter's figures, the largest risks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aims_gate.operations.aims.entry_days import waits
from aims_gate.operations.aims.quarter import quarters, told
from aims_gate.operations.aims.risk_standing import risk_standings
from aims_gate.operations.aims.survey import BEGIN, Survey, SurveyedSystem
from aims_gate.operations.aims.todo import REFUSED, Duty
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable
from aims_gate.verdict import Authenticity, Decision, Verdict

RISKS = 10
"""Residual risks that are shown, the largest."""
_WORST = (Decision.REFUSED, Decision.UNDECIDED, Decision.PASSED)
_DECIDED = {
    Decision.PASSED: ("good", "✓ policy met"),
    Decision.REFUSED: ("bad", "✗ policy not met"),
    Decision.UNDECIDED: ("warn", "? undecided"),
}


def status_sheet(found: Survey, wanted: tuple[Duty, ...], *, risks: bool = False) -> Sheet:
    """Models, figures of this quarter and the last, and if asked the largest residual risks."""
    this, last = quarters(found)
    figures = zip(told(this), told(last), strict=True)
    tables = [
        SheetTable(
            title="Models",
            heads=(
                "model",
                "champion",
                "verdict",
                "judged",
                "age",
                "risk",
                "open (declared)",
                "next",
            ),
            narrow=7,
            rows=(*_models(found, wanted), *_unlisted(found)),
            empty=f"no system is described; {BEGIN}",
        ),
        SheetTable(
            title="Outcome",
            heads=("figure", f"since {this.begins:%Y-%m-%d}", "last quarter"),
            narrow=3,
            rows=tuple(SheetRow(cells=(name, now, before)) for (name, now), (_, before) in figures),
        ),
    ]
    if risks:
        tables.append(_risks(found))
    notes = found.history.uncounted()
    count = f"{len(found.systems)} system{'' if len(found.systems) == 1 else 's'}"
    lead = f"{count}; risk is the largest residual one, of 25"
    return Sheet(
        title=f"Status, {found.now:%Y-%m-%d %H:%M} UTC",
        lead=lead,
        tables=tuple(tables),
        notes=notes,
    )


def _models(found: Survey, wanted: tuple[Duty, ...]) -> Iterator[SheetRow]:
    for system in found.systems:
        mine = sorted(
            (one for one in wanted if one.system == system.id), key=lambda one: one.topic != REFUSED
        )
        next_one = next(iter(mine), None)
        late = "" if next_one is None else f"{next_one.due:%Y-%m-%d} {next_one.person}: "
        counts = Counter(one.type or "entry" for one in system.entries if waits(one, found.today))
        more = (
            _level(system, found),
            ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "-",
            "-" if next_one is None else f"{late}{next_one.what} ({next_one.where})",
        )
        for name, version in system.live.items() or [(system.id, "")]:
            judged = [one for one in system.verdicts if one.model.name == name]
            tone, words, day, age = _judged(judged, found)
            if gone := _dropped(name, system):
                tone, words = ("bad" if tone == "bad" else "warn"), f"{words}; {gone}"
            cells = (name, version or "-", words, day, age, *more)
            yield SheetRow(cells=cells, tone=tone)


def _judged(verdicts: list[Verdict], found: Survey) -> tuple[str, str, str, str]:
    """Tone, words, day and age of the worst of the newest verdicts on what serves."""
    if not verdicts:
        return "bad", "! no verdict", "never", "-"
    newest = max(verdicts, key=lambda one: one.finished)
    worst = min(verdicts, key=lambda one: _WORST.index(one.decision))
    tone, words = _DECIDED[worst.decision]
    if worst.decision is Decision.PASSED and (warned := sum(one.warnings for one in verdicts)):
        tone, words = "warn", f"! policy met, {warned} warn"
    if any(
        one.standing and one.standing.authenticity is not Authenticity.VERIFIED for one in verdicts
    ):
        tone, words = "warn", f"! expired; it said {words[2:]}"
    return tone, words, f"{newest.finished:%Y-%m-%d}", f"{(found.now - newest.finished).days} d"


def _dropped(name: str, system: SurveyedSystem) -> str:
    """Rules that refused what serves, and that no later version of the policy has."""
    left = [one for one in system.dropped if one.model.name == name]
    rules = dict.fromkeys(result.rule for one in left for result in one.results)
    return f"rules dropped since they refused it: {', '.join(rules)}" if rules else ""


def _unlisted(found: Survey) -> Iterator[SheetRow]:
    for name in found.unlisted:
        version = found.history.live(name) or "-"
        told_of = "not in the inventory: no system.yaml names it under registry"
        yield SheetRow(cells=(name, version, "! unknown", "-", "-", "-", "-", told_of), tone="bad")


def _level(system: SurveyedSystem, found: Survey) -> str:
    levels = [one.level for one in risk_standings(system, found.today)]
    return str(max(levels)) if levels else "? of unread risks"


def _risks(found: Survey) -> SheetTable:
    every = [
        (one, system.id) for system in found.systems for one in risk_standings(system, found.today)
    ]
    every.sort(key=lambda pair: (not pair[0].faults, -pair[0].level, pair[1], pair[0].id))
    return SheetTable(
        title="Largest residual risks over all systems",
        heads=("level", "system", "risk", "category", "what", "treated by"),
        narrow=3,
        rows=tuple(
            SheetRow(
                cells=(
                    str(one.level),
                    system,
                    one.id,
                    str(one.values.get("category", "")),
                    str(one.values.get("title", "")),
                    "; ".join((", ".join(one.rules), *one.faults)),
                ),
                tone="bad" if one.faults else "quiet",
            )
            for one, system in every[:RISKS]
        ),
        empty="no risk is written down",
    )
