"""Markdown report for a pull request: unmet rules first, passed ones folded.

All untrusted text goes into code spans, in which Markdown, HTML, mentions, links and issue numbers
have no effect. Only plain words, as in most rules' titles, stand as prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aims_gate.reports import (
    exceptions,
    headline,
    in_order,
    next_steps,
    outcome_word,
    plain,
    proof,
    question,
    ran_in,
    record_of,
    refuse_contradiction,
    remark,
    tally,
)
from aims_gate.sentences import power_sentence
from aims_gate.verdict import Outcome, Result, Verdict

_MOST = 50_000
"""Characters of both tables together; a comment on GitHub holds 65,536."""
_CELL = 600
_RULES, _CELLS = 10, 10
"""Rules, and cells of each, of which it is shown what their rows can decide."""
_WORD = r"\(?[^\W\d_]+(?:['-][^\W\d_]+)*\)?"
_WORDS = re.compile(rf"{_WORD}(?:[,;]? {_WORD})*\.?")
_HEAD = ("| outcome | rule | what was seen | supports |", "| --- | --- | --- | --- |")


def render(verdict: Verdict) -> str:
    """Write *verdict* as GitHub-flavoured Markdown; RecordError if it contradicts itself."""
    refuse_contradiction(verdict)
    passed = [r for r in in_order(verdict) if r.outcome is Outcome.PASS]
    rest = [r for r in in_order(verdict) if r.outcome is not Outcome.PASS]
    shown = _table(rest, _MOST)
    decided, _, explained = headline(verdict, code).partition(": ")
    blocks = [
        [f"## aims-gate: {decided}"],
        [f"**{decided}**: {explained}"],
        [*_about(verdict)],
        shown,
        [f"- {step}" for step in next_steps(verdict, code)],
        _folded(passed, max(_MOST - sum(map(len, shown)), 0)),
        _power(verdict.results),
        [*_record(verdict)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def code(text: str) -> str:
    """Markdown code span of any *text*; `_cell` continues from there."""
    text = plain(text, most=_CELL)
    if not text:
        return ""
    fence = "`" * (1 + max(map(len, re.findall(r"`+", text)), default=0))
    blank = " " if text[0] in "`\\" or text[-1] in "`\\" else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def _cell(text: str) -> str:
    """Escape *text* for one table cell: a bar splits a table even inside code.

    Readers differ on a backslash that stands before an escaped bar, so a blank comes between.
    """
    return re.sub(r"\\(?=\|)", r"\\ ", text).replace("|", r"\|")


def prose(text: str) -> str:
    """Write plain words as they are, and everything else as a code span."""
    text = plain(text, most=_CELL)
    return text if _WORDS.fullmatch(text) else code(text)


def _about(verdict: Verdict) -> Iterator[str]:
    model, policy = verdict.model, verdict.policy
    name = " ".join(part for part in (model.name, model.version) if part)
    yield f"- model: {code(name)} {code('sha256:' + model.digest[:12])}"
    yield f"- stage: {code(verdict.stage)}"
    yield f"- policy: {code(f'{policy.id}@{policy.version}')}"
    for data in verdict.datasets:
        yield f"- data: {code(data.role)} {code(data.name)}, {data.rows:,} rows"
        yield from (f"  - {code(note)}" for note in data.notes)
    if isolation := verdict.versions.get("isolation"):
        told = f"- predicted by the model itself, run with isolation: {code(isolation)}"
        yield told + "".join(f", {fact}" for fact in ran_in(verdict, code))


def _table(results: Sequence[Result], most: int) -> list[str]:
    """Table rows that fit into *most* characters, and how many do not."""
    if not results:
        return []
    lines = list(_HEAD)
    for index, result in enumerate(results):
        row = _row(result)
        most -= len(row) + 1
        if most < 0:
            left = len(results) - index
            return [*lines, "", f"{left:,} more do not fit here; report.json has them all."]
        lines.append(row)
    return lines


def _row(result: Result) -> str:
    outcome = f"**{outcome_word(result)}**" + (" (blocks)" if result.blocking else "")
    rule = " ".join(part for part in (code(result.rule), prose(result.title)) if part)
    seen = [code(result.reason), remark(result, code), code(result.place)]
    told = "; ".join(part for part in seen if part)
    controls = " ".join(map(code, result.controls))
    return f"| {' | '.join(map(_cell, (outcome, rule, told, controls)))} |"


def _folded(results: Sequence[Result], most: int) -> list[str]:
    if not results:
        return []
    rules = "1 rule is met" if len(results) == 1 else f"{len(results):,} rules are met"
    summary = f"<details><summary>{rules}</summary>"
    return [summary, "", *_table(results, most), "", "</details>"]


def _power(results: Sequence[Result]) -> list[str]:
    """Say of each rule, and each of its groups, what these rows can decide; folded away."""
    sized = [(r.rule, r.power) for r in results if r.power is not None][:_RULES]
    if not sized:
        return []
    lines = ["<details><summary>what these rows can decide</summary>", ""]
    lines += ["| rule | rows | for 80 % | these exclude |", "| --- | --- | --- | --- |"]
    for rule, power in sized:
        told = f"{code(rule)} {code(power_sentence(power))}"
        lines.append(f"| {_cell(told)} | {power.rows:,} | {_wanted(power.wanted)} | |")
        for cell in power.cells[:_CELLS]:
            past = "nothing" if cell.excluded is None else f"past {cell.excluded:.3g}"
            name = _cell(code(cell.slice or "all rows"))
            lines.append(f"| {name} | {cell.rows:,} | {_wanted(cell.wanted)} | {past} |")
    return [*lines, "", "</details>"]


def _wanted(rows: int | None) -> str:
    return "no number" if rows is None else f"{rows:,}"


def _record(verdict: Verdict) -> Iterator[str]:
    yield f"- results: {tally(verdict) or 'none'}"
    yield f"- evidence: {record_of(verdict, code)}"
    drafts = (("an exception", command) for command in exceptions(verdict))
    commands = (("verify", proof(verdict)), ("ask why", question(verdict)), *drafts)
    for label, command in commands:
        if command:
            yield f"- {label}: {code(command)}"
    yield f"- exit code: {verdict.exit_code}"
