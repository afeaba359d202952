"""The verdict as one HTML file: decision and reasons first, then every rule, then the record.

It needs nothing but itself: no script, no request, no font. It is made from the verdict alone, also
from one that was read back from old evidence, and says what that does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from aims_gate.advice import (
    FAMILIES,
    UNMET,
    family_of,
    in_order,
    in_the_way,
    next_steps,
    proof,
    question,
)
from aims_gate.facts import LEFT_OUT, POWER, UNSEEN
from aims_gate.pages import svg
from aims_gate.pages.charts import sizes
from aims_gate.pages.environment import html
from aims_gate.pages.figures import Allowance, Figure, Listing, power_table
from aims_gate.pages.rule_section import rule_section, said, seen
from aims_gate.reports import headline, ran_in, record_of, refuse_contradiction, tally
from aims_gate.sentences import Told, meanings, power_sentence, rows_wanted
from aims_gate.verdict import Authenticity, Decision, Outcome, Result, Verdict

_TONES = {Decision.PASSED: "good", Decision.REFUSED: "bad", Decision.UNDECIDED: "warn"}
_MARKS = {Decision.PASSED: "✓", Decision.REFUSED: "✗", Decision.UNDECIDED: "?"}
_DECIDED = {
    Decision.PASSED: "Policy met: {} may go to {}",
    Decision.REFUSED: "Policy not met: {} may not go to {}",
    Decision.UNDECIDED: "Not decided: {} may not go to {}",
}
_MOST = 200
"""Rows of each table at the end of the page."""


def render(verdict: Verdict) -> str:
    """Write *verdict* as HTML; RecordError if it contradicts itself.

    One from evidence that nobody verified, or that does not hold today, is headed as a claim.
    """
    refuse_contradiction(verdict)
    allowance = Allowance()
    ordered = in_order(verdict)
    sections = [rule_section(r, place, verdict, allowance) for place, r in enumerate(ordered, 1)]
    anchors = {id(section.result): section.anchor for section in sections}
    return html(
        "verdict.html",
        verdict=verdict,
        standing=verdict.standing,
        claim=_claim(verdict),
        mark=_MARKS[verdict.decision],
        tone=_TONES[verdict.decision],
        title=_title(verdict),
        explained=_explained(verdict),
        reasons=[(r, anchors[id(r)], said(r), seen(r)) for r in in_the_way(verdict)[:_MOST]],
        warnings=[(r, anchors[id(r)], said(r), seen(r)) for r in _to_notice(ordered)[:_MOST]],
        steps=[*next_steps(verdict)],
        sections=sections,
        powers=_powers(ordered),
        powered=[*_powered(ordered, allowance)],
        controls=_controls(ordered),
        exceptions=_exceptions(ordered),
        unmeasured=_unmeasured(ordered),
        unasked=_unasked(verdict),
        digests=_digests(verdict),
        record=_record(verdict),
        ran=[*ran_in(verdict)],
        meanings=_meanings(verdict),
        proof=proof(verdict),
        question=question(verdict),
        drawn=svg.available(),
    )


_CLAIMS = {
    Authenticity.VERIFIED: "",
    Authenticity.EXPIRED: "Expired",
    Authenticity.REFUSED: "Does not hold today",
    Authenticity.UNVERIFIED: "Unverified claim",
}


def _claim(verdict: Verdict) -> str:
    """First words of a heading that is not to be relied on; empty for any other."""
    return "" if verdict.standing is None else _CLAIMS[verdict.standing.authenticity]


def _title(verdict: Verdict) -> str:
    name = " ".join(filter(None, (verdict.model.name, verdict.model.version)))
    stage = verdict.stage or "its stage"
    return _DECIDED[verdict.decision].format(name or "the model", stage)


def _explained(verdict: Verdict) -> str:
    told = headline(verdict).partition(": ")[2]
    counted = tally(verdict)
    listed = verdict.decision is Decision.PASSED  # which the headline of a pass does itself
    return told if listed or not counted else f"{told} ({counted})"


def _meanings(verdict: Verdict) -> Told:
    data = verdict.datasets
    cells = (cell for result in verdict.results for cell in result.statistics)
    return meanings(
        [note for one in data for note in one.notes],
        [one.digest_kind for one in data],
        version=any(one.snapshot for one in data),
        cells=any(cell.bracket for cell in cells),
    )


def _to_notice(ordered: list[Result]) -> list[Result]:
    """What blocks nothing, and somebody should look at."""
    noticed = {*UNMET, Outcome.WARN, Outcome.WAIVED}
    return [r for r in ordered if not r.blocking and r.outcome in noticed]


def _powers(ordered: list[Result]) -> Listing:
    """What the rows of each rule can decide, whatever they say."""
    rows = [
        (
            result.rule,
            f"{power.chance:.0%}",
            f"{power.serious:.3g}",
            f"{power.rows:,} {power.what}",
            rows_wanted(power.rows, power.wanted),
        )
        for result in ordered
        if (power := result.power) is not None
    ]
    heads = ("rule", "decided", "must be ruled out or proven", "rows", f"rows for {POWER:.0%}")
    return _cut("What these data can decide", heads, rows)


def _powered(ordered: list[Result], allowance: Allowance) -> Iterator[Figure]:
    """The groups of each rule whose rows are short, as picture and table."""
    for result in ordered:
        power = result.power
        if power is not None and power.chance < POWER and power.cells:
            told = power_sentence(power)
            groups = {cell.group or cell.slice: cell for cell in power.cells}
            image = allowance.draw(
                partial(sizes, [*groups.values()]), f"rows of {result.rule}: {told}"
            )
            table = power_table(power.cells, allowance)
            yield Figure(title=result.rule, told=told, image=image, table=table, narrow=True)


def _controls(ordered: list[Result]) -> Listing:
    """Each control, with the rules that support it."""
    touched: dict[str, list[str]] = {}
    for result in ordered:
        for control in result.controls:
            touched.setdefault(control, []).append(f"{result.rule} ({said(result)})")
    rows = [(control, "; ".join(rules[:12])) for control, rules in sorted(touched.items())]
    return _cut("Controls", ("control", "rules that support it"), rows)


def _exceptions(ordered: list[Result]) -> Listing:
    """Waivers in force or refused, and approvals, with until when."""
    rows = [
        (
            result.rule,
            f"waived by {result.waiver}" if result.waiver else said(result),
            f"{result.expires:%Y-%m-%d}" if result.expires else "-",
            result.reason,
        )
        for result in ordered
        if result.waiver
        or result.outcome is Outcome.WAIVED
        or result.check.partition(".")[0] in {"oversight", "waiver"}
    ]
    return _cut("Waivers and approvals", ("rule", "what", "until", "said"), rows)


def _unmeasured(ordered: list[Result]) -> Listing:
    """Rules, cells and columns without a value, and what no rule looked at."""
    rows: list[tuple[str, ...]] = []
    for result in ordered:
        unseen = {Outcome.NOT_APPLICABLE, Outcome.MISSING, Outcome.ERROR, Outcome.STALE}
        if result.outcome in unseen:
            rows.append((result.rule, said(result), result.reason))
            continue
        for cell in result.statistics:
            left = cell.name in {LEFT_OUT, UNSEEN}
            if left or (cell.judged and cell.value is None):
                rows.append((result.rule, cell.slice or "-", cell.reason or str(cell.lack)))
    return _cut("What was not measured", ("rule", "what", "why"), rows)


def _unasked(verdict: Verdict) -> str:
    """Families of checks that the policy has no rule of, so that nobody takes them for met."""
    asked = {family_of(result.check) for result in verdict.results}
    left = [family for family in FAMILIES if family not in asked]
    if verdict.ended_with is not None:  # the policy may not have been read
        return ""
    *most, last = left or [""]
    named = f"{', '.join(most)} or {last}" if most else last
    has = f"no rule about {named}" if named else "rules of all kinds of checks"
    return f"A policy asks only what its rules ask: it has {has}."


def _record(verdict: Verdict) -> str:
    """Say where the evidence is; where nobody looked the signer up, say what names the person."""
    evidence, told = verdict.evidence, record_of(verdict)
    nameless = evidence is not None and evidence.signed and verdict.standing is None
    return f"{told}; trust.yaml says whose key that is" if nameless else told


def _digests(verdict: Verdict) -> Listing:
    """Everything that the verdict rests on, by SHA-256."""
    model, policy = verdict.model, verdict.policy
    name, place = f"{model.name} {model.version}".strip(), model.resource_uri or model.uri
    found = [
        ("model", name, place, model.digest),
        ("policy, resolved", f"{policy.id} {policy.version}", policy.uri, policy.digest),
    ]
    if policy.source_digest:
        found.append(("policy, its file", policy.id, policy.uri, policy.source_digest))
    found += [("policy, parent", one.name, one.uri, one.digest) for one in policy.extends]
    found += [
        (f"{data.role} data ({data.digest_kind})", data.name, data.uri, data.digest)
        for data in verdict.datasets
    ]
    heads = ("what", "name", "where", "SHA-256")
    return _cut("Digests", heads, [(*row[:3], row[3] or "not recorded") for row in found])


def _cut(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Listing:
    more = max(len(rows) - _MOST, 0)
    return Listing(caption=caption, heads=heads, rows=tuple(rows[:_MOST]), more=more)
