"""Reports: pure functions from a verdict to text; no file, no clock, no decision of their own.

Adding a format is one file and one row in `REPORTS`. Below the table stands what the formats for
people share; the formats themselves do not know each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from aims_gate import canonical
from aims_gate.advice import UNMET, in_order
from aims_gate.errors import RecordError
from aims_gate.harmless import Quote, plain
from aims_gate.plugin_table import Table
from aims_gate.verdict import Authenticity, Decision, Outcome, Result, Verdict, settled


class Report(Protocol):
    """Writes a verdict in one format."""

    def __call__(self, verdict: Verdict) -> str:
        """Render the whole document, ending in a newline.

        RecordError if the verdict contradicts itself: see `refuse_contradiction`.
        """
        ...


REPORTS: Table[Report] = Table(
    "report format",
    {
        "text": "aims_gate.reports.text:render",
        "json": "aims_gate.reports.json_report:render",
        "markdown": "aims_gate.reports.markdown:render",
        "html": "aims_gate.pages.verdict_page:render",
        "junit": "aims_gate.reports.junit:render",
        "sarif": "aims_gate.reports.sarif:render",
        "codequality": "aims_gate.reports.codequality:render",
    },
)


def refuse_contradiction(verdict: Verdict) -> None:
    """Refuse to write "policy met" over results that say otherwise.

    Raises:
        RecordError: the verdict is `passed`, and a result blocks, or no blocking rule was decided.
    """
    if verdict.decision is not Decision.PASSED:
        return
    against = [plain(r.rule) for r in verdict.results if r.blocking]
    if against or not settled(verdict.results):
        what = f"{', '.join(against)} stands in the way" if against else "no rule was decided"
        hint = "do not trust this verdict; run the gate again"
        raise RecordError(f"the verdict says passed, but {what}", hint=hint)


def headline(verdict: Verdict, quote: Quote = plain) -> str:
    """Decision in one sentence, with what undecided means, and how far it is to be believed."""
    standing, said = verdict.standing, _decided(verdict, quote)
    if standing is None or standing.authenticity is Authenticity.VERIFIED:
        return said
    head = _DOUBTED[standing.authenticity]
    return f'{head}: {quote(standing.told)}; it says "{said}"'


_DOUBTED = {
    Authenticity.UNVERIFIED: "not verified",
    Authenticity.EXPIRED: "expired",
    Authenticity.REFUSED: "does not hold today",
}
"""First words about evidence that is not to be relied upon."""


def _decided(verdict: Verdict, quote: Quote) -> str:
    stage, total = quote(verdict.stage), len(verdict.results)
    blocking = sum(r.blocking for r in verdict.results)
    of_all = f"{blocking:,} of {total:,} rule{'' if total == 1 else 's'}"
    if verdict.ended_with is not None:
        what = _ENDED[verdict.ended_with == 2]
        return f"undecided: {what}, and nothing was decided; {stage} stays closed"
    if verdict.decision is Decision.PASSED:
        return f"policy met: nothing stands in the way of {stage} ({tally(verdict)})"
    if verdict.decision is Decision.REFUSED:
        stands = "stands" if blocking == 1 else "stand"
        return f"policy not met: {of_all} {stands} in the way of {stage}"
    if blocking:
        return (
            f"undecided: {of_all} could not be measured, so the policy is neither met nor not met; "
            f"{stage} stays closed"
        )
    return f"undecided: no blocking rule could be decided; {stage} stays closed"


_ENDED = ("an error ended the run", "the policy or the call is refused")


def needs_alert(verdict: Verdict, results: Iterable[Result]) -> bool:
    """Whether the verdict itself must stand among alerts about *results*.

    It must where it is not met and none of them blocks, and where it is not to be relied upon.
    """
    standing = verdict.standing
    doubted = standing is not None and standing.authenticity in _DOUBTED
    return doubted or not (verdict.passed or any(one.blocking for one in results))


def outcome_word(result: Result) -> str:
    """Write an outcome for people: `FAIL`, and `fail (advisory)` where it is in nobody's way."""
    advisory = result.outcome in UNMET and not result.blocking
    return f"{result.outcome.lower()} (advisory)" if advisory else str(result.outcome)


def tally(verdict: Verdict) -> str:
    """Count the results by outcome, the worst first: `1 WARN, 7 PASS`."""
    counts = Counter(r.outcome for r in verdict.results)
    return ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome])


def remark(result: Result, quote: Quote = plain) -> str:
    """Say what the outcome alone does not: that it was waived, or why it does not block."""
    if result.outcome is Outcome.WAIVED:
        waiver = f"by {quote(result.waiver)}" if result.waiver else "by no waiver that is named"
        return f"{result.raw_outcome} waived {waiver}"
    if result.blocking or result.outcome not in UNMET:
        return ""
    if result.severity != "block":
        return f"does not block (severity {result.severity})"
    return "does not block at this stage"


def record_of(verdict: Verdict, quote: Quote = plain) -> str:
    """Say where the evidence is and what it is worth."""
    evidence = verdict.evidence
    if evidence is None:
        return "none was kept"
    where = quote(evidence.directory or evidence.id)
    if verdict.standing is not None:  # what is doubted, the headline says
        sound = verdict.standing.authenticity is Authenticity.VERIFIED
        told = f"verified: {quote(verdict.standing.told)}" if sound else "not to be relied on"
        return f"{where}, of {verdict.finished:%Y-%m-%d %H:%M} UTC, {told}"
    worth = f"signed by {quote(evidence.key)}" if evidence.signed else "unsigned: it never verifies"
    published = f"; published as {quote(evidence.published)}" if evidence.published else ""
    return f"{where}, {worth}{published}"


def read_back(verdict: Verdict, quote: Quote = plain) -> Iterator[tuple[str, str]]:
    """Say what ends, and what was not recorded, where a verdict was read from evidence."""
    if verdict.standing is not None:
        yield from (("until", quote(line)) for line in verdict.standing.until)
        yield from (("unrecorded", quote(line)) for line in verdict.standing.unrecorded)


def ran_in(verdict: Verdict, quote: Quote = plain) -> Iterator[str]:
    """Say in which environment a model predicted; nothing where none did."""
    told = verdict.versions
    if "environment" in told:
        yield f"environment: {quote(told['environment'])}"
    if "environment:requirements" in told:
        yield f"Python {quote(told['environment:python'])}"
        yield f"requirements.txt {quote(told['environment:requirements'][:19])}"


def to_look_at(verdict: Verdict) -> list[Result]:
    """Results that somebody should look at, the blocking ones first."""
    return [r for r in in_order(verdict) if r.outcome in UNMET or r.outcome is Outcome.WARN]


def fingerprint(rule: str, verdict: Verdict) -> str:
    """Identity of a refusal over versions of the model, lines of the policy and numbers."""
    identity = "\n".join(map(plain, (verdict.policy.id, verdict.model.name, rule)))
    return canonical.sha256(identity.encode())


def line_of(place: str, verdict: Verdict) -> tuple[str, int]:
    """File and line of the repository at which to show *place*; no file for a pack alone.

    A rule that was written elsewhere (a pack, a parent) is shown where the policy takes it from.
    """
    file, _, line = place.rpartition(":")
    if file == verdict.policy.uri and line.isdecimal():
        return file, max(int(line), 1)
    return ("" if ":" in verdict.policy.uri else verdict.policy.uri), 1


def fitting(rows: Sequence[str], most: int) -> list[str]:
    """Rows that fit into *most* bytes, and how many do not."""
    kept: list[str] = []
    for index, row in enumerate(rows):
        most -= len(row.encode()) + 1
        if most < 0:
            left = len(rows) - index
            return [*kept, "", f"{left:,} more do not fit here; report.json has them all."]
        kept.append(row)
    return kept
