"""What a reviewer reads: the verdict first, then what stands in the way, drawn, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aims_gate.advice import exceptions, in_order, in_the_way, next_steps, proof, question
from aims_gate.harmless import Quote, block, code, plain, prose
from aims_gate.pages.strip import LEGEND, strips
from aims_gate.reports import fitting, headline, outcome_word, remark, tally
from aims_gate.reports.markdown import table
from aims_gate.sentences import display, interval, number
from aims_gate.verdict import Decision, Result, Verdict

_PART = 8_000
"""Bytes of each part; what does not fit is counted, and the table goes on from there."""
_DRAWN = 6
"""Rules whose cells are drawn."""
_CHAMPION = "performance.champion"
_TITLES = {
    Decision.PASSED: "✓ aims-gate: {} may go to {}",
    Decision.REFUSED: "✗ aims-gate: {} may not go to {}",
    Decision.UNDECIDED: "? aims-gate: not decided whether {} may go to {}, so it may not",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known of a verdict beside its report."""

    evidence_digest: str = ""
    """`sha256:…` of the signed summary; empty where there is none."""
    run_url: str = ""
    """The page of the workflow's run."""
    observed: bool = False
    """Whether the step ends well whatever the verdict is."""
    policy_diff: str = ""
    """What a pull request changes in the policy, as `policy diff` says it."""


def review(verdict: Verdict, around: Around, *, most: int) -> str:
    """Write the review as Markdown of at most *most* bytes.

    What comes first is kept whole, and the table of all rules, which is folded, is cut on a row.
    """
    parts = [
        [f"### {title(verdict, code)}"],
        _decided(verdict, around),
        _standing(verdict),
        _drawn(verdict),
        _champion(verdict),
        _next(verdict),
        _changed(around.policy_diff),
    ]
    foot = ["", _foot(verdict, around)]
    left = most - _size(foot)
    lines: list[str] = []
    for part in parts:
        kept = part if _size(part) < left - _RESERVED else []
        lines += [*kept, ""] if kept else []
        left -= _size(kept) + 1
    lines += _all_rules(verdict, left)
    return "\n".join((*lines, *foot)) + "\n"


_RESERVED = 600
"""Bytes that stay for the head of the table and for how many rows do not fit."""


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def title(verdict: Verdict, quote: Quote = plain) -> str:
    """The verdict in one line."""
    name = " ".join(filter(None, (verdict.model.name, verdict.model.version)))
    model, stage = quote(name) or "the model", quote(verdict.stage) or "its stage"
    return _TITLES[verdict.decision].format(model, stage)


def _decided(verdict: Verdict, around: Around) -> list[str]:
    decided, _, why = headline(verdict, code).partition(": ")
    told = f"**{decided}**: {why}"
    if verdict.decision is not Decision.PASSED:
        told += f" ({tally(verdict)})"
    told += f". [This run]({around.run_url})" if around.run_url else ""
    seen = "The gate only observes here: this step ends well whatever the verdict is."
    return [told, "", seen] if around.observed else [told]


def _standing(verdict: Verdict) -> list[str]:
    """A line for each rule that stands in the way."""
    return fitting([_line(result) for result in in_the_way(verdict)], _PART)


def _line(result: Result) -> str:
    head = f"- **{outcome_word(result)}** {code(result.rule)}"
    title = prose(result.title)
    told = [code(result.reason), remark(result, code), code(result.place)]
    return f"{head} {title}".rstrip() + ": " + "; ".join(filter(None, told))


def _drawn(verdict: Verdict) -> list[str]:
    drawn = strips(in_order(verdict), _DRAWN)
    return [*block(drawn), f"<sub>{LEGEND}</sub>"] if drawn else []


def _champion(verdict: Verdict) -> list[str]:
    """What changed since the champion, where a rule measured both on the same rows."""
    measured = [
        (result, cell)
        for result in verdict.results
        if result.check == _CHAMPION
        for cell in result.statistics
        if cell.judged and cell.value is not None
    ]
    if not measured:
        return []
    rows = []
    for result, cell in measured:
        told = f"{display(cell.name)} {number(cell.value or 0)}"
        told += f" ({interval(cell.interval)})" if cell.interval else ""
        where = f"{cell.slice}: " if cell.slice else ""
        rows.append(f"- {code(result.rule)} {code(f'{where}{told}; {cell.reason}')}")
    return ["**What changed since the champion**", "", *fitting(rows, _PART)]


def _next(verdict: Verdict) -> list[str]:
    steps = [f"- {step}" for step in next_steps(verdict, code)]
    drafts = (("an exception", command) for command in exceptions(verdict))
    commands = (("ask why", question(verdict)), ("verify", proof(verdict)), *drafts)
    steps += [f"- {label}: {code(command)}" for label, command in commands if command]
    return ["**What to do next**", "", *fitting(steps, _PART)] if steps else []


def _changed(diff: str) -> list[str]:
    """What the pull request changes in the policy itself."""
    if not diff.strip():
        return []
    shown = block(fitting([*map(_indented, diff.rstrip().splitlines())], _PART))
    return ["**What changes in the policy**", "", *shown]


def _indented(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))] + plain(line)


def _all_rules(verdict: Verdict, left: int) -> list[str]:
    count = len(verdict.results)
    head = f"<details><summary>{'1 rule' if count == 1 else f'All {count:,} rules'}</summary>"
    return [head, "", *table(in_order(verdict), left - _RESERVED // 2), "", "</details>"]


def _foot(verdict: Verdict, around: Around) -> str:
    kept, policy = verdict.evidence, verdict.policy
    told = [f"policy {code(f'{policy.id}@{policy.version}')}", f"exit code {verdict.exit_code}"]
    if kept is None:
        told.insert(0, "no evidence was kept")
    else:
        worth = f"signed by {code(kept.key)}" if kept.signed else "unsigned, so it never verifies"
        told.insert(0, f"evidence {code(around.evidence_digest or kept.id)}, {worth}")
    if verdict.model.digest:
        told.append(f"model {code(f'sha256:{verdict.model.digest}')}")
    return f"<sub>{'; '.join(told)}</sub>"
