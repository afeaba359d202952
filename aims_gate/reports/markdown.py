"""Markdown report for a pull request: unmet rules first, passed ones folded.

All untrusted text goes into code spans, in which Markdown, HTML, mentions, links and issue numbers
have no effect. Only plain words, as in most rules' titles, stand as prose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aims_gate.advice import exceptions, in_order, next_steps, proof, question
from aims_gate.harmless import cell, code, prose
from aims_gate.reports import (
    fitting,
    headline,
    outcome_word,
    ran_in,
    read_back,
    record_of,
    refuse_contradiction,
    remark,
    tally,
)
from aims_gate.sentences import power_sentence, rows_wanted
from aims_gate.verdict import Outcome, Result, Verdict

_MOST = 50_000
"""Bytes of both tables together; a comment on GitHub holds 65,536."""
_RULES, _CELLS = 10, 10
"""Rules, and cells of each, of which it is shown what their rows can decide."""
_HEAD = ("| outcome | rule | what was seen | supports |", "| --- | --- | --- | --- |")


def render(verdict: Verdict) -> str:
    """Write *verdict* as GitHub-flavoured Markdown; RecordError if it contradicts itself."""
    refuse_contradiction(verdict)
    passed = [r for r in in_order(verdict) if r.outcome is Outcome.PASS]
    rest = [r for r in in_order(verdict) if r.outcome is not Outcome.PASS]
    shown = table(rest, _MOST)
    decided, _, explained = headline(verdict, code).partition(": ")
    blocks = [
        [f"## aims-gate: {decided}"],
        [f"**{decided}**: {explained}"],
        [*_about(verdict)],
        shown,
        [f"- {step}" for step in next_steps(verdict, code)],
        _folded(passed, max(_MOST - sum(len(row.encode()) for row in shown), 0)),
        _power(verdict.results),
        [*_record(verdict)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _about(verdict: Verdict) -> Iterator[str]:
    model, policy = verdict.model, verdict.policy
    name = " ".join(part for part in (model.name, model.version) if part)
    yield f"- model: {code(name)} {code('sha256:' + model.digest[:12])}"
    yield f"- stage: {code(verdict.stage)}"
    yield f"- policy: {code(f'{policy.id}@{policy.version}')}"
    yield from (f"- limits: {code(told)}" for told in policy.limits)
    for data in verdict.datasets:
        version = f", version {code(data.snapshot)}" if data.snapshot else ""
        yield f"- data: {code(data.role)} {code(data.name)}, {data.rows:,} rows" + version
        yield from (f"  - {code(note)}" for note in data.notes)
    if isolation := verdict.versions.get("isolation"):
        told = f"- predicted by the model itself, run with isolation: {code(isolation)}"
        yield told + "".join(f", {fact}" for fact in ran_in(verdict, code))


def table(results: Sequence[Result], most: int) -> list[str]:
    """Table of *results*, in rows that fit into *most* bytes, and how many do not."""
    return [*_HEAD, *fitting([_row(result) for result in results], most)] if results else []


def _row(result: Result) -> str:
    outcome = f"**{outcome_word(result)}**" + (" (blocks)" if result.blocking else "")
    rule = " ".join(part for part in (code(result.rule), prose(result.title)) if part)
    seen = [code(result.reason), remark(result, code), code(result.place)]
    told = "; ".join(part for part in seen if part)
    controls = " ".join(map(code, result.controls))
    return f"| {' | '.join(map(cell, (outcome, rule, told, controls)))} |"


def _folded(results: Sequence[Result], most: int) -> list[str]:
    if not results:
        return []
    rules = "1 rule is met" if len(results) == 1 else f"{len(results):,} rules are met"
    summary = f"<details><summary>{rules}</summary>"
    return [summary, "", *table(results, most), "", "</details>"]


def _power(results: Sequence[Result]) -> list[str]:
    """Say of each rule, and each of its groups, what these rows can decide; folded away."""
    sized = [(r.rule, r.power) for r in results if r.power is not None][:_RULES]
    if not sized:
        return []
    lines = ["<details><summary>what these rows can decide</summary>", ""]
    lines += ["| rule | rows | for 80 % | these exclude |", "| --- | --- | --- | --- |"]
    for rule, power in sized:
        told = f"{code(rule)} {code(power_sentence(power))}"
        wanted = rows_wanted(power.rows, power.wanted)
        lines.append(f"| {cell(told)} | {power.rows:,} | {wanted} | |")
        for part in power.cells[:_CELLS]:
            past = "nothing" if part.excluded is None else f"past {part.excluded:.3g}"
            name = cell(code(part.slice or "all rows"))
            wanted = rows_wanted(part.rows, part.wanted)
            lines.append(f"| {name} | {part.rows:,} | {wanted} | {past} |")
    return [*lines, "", "</details>"]


def _record(verdict: Verdict) -> Iterator[str]:
    yield f"- results: {tally(verdict) or 'none'}"
    yield f"- evidence: {record_of(verdict, code)}"
    yield from (f"- {label}: {told}" for label, told in read_back(verdict, code))
    drafts = (("an exception", command) for command in exceptions(verdict))
    commands = (("verify", proof(verdict)), ("ask why", question(verdict)), *drafts)
    for label, command in commands:
        if command:
            yield f"- {label}: {code(command)}"
    yield f"- exit code: {verdict.exit_code}"
