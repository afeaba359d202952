"""The verdict as JUnit XML, one test case per rule, for the test tab of a CI server.

| outcome | becomes |
| --- | --- |
| FAIL, MISSING, STALE, INSUFFICIENT that blocks | failure |
| ERROR that blocks | error |
| the same where they do not block, NOT_APPLICABLE, WAIVED | skipped, with its reason |
| WARN | passed, with its reason in system-out and a property |
| PASS | passed |

A verdict that is not `passed` always shows as a failure or an error somewhere: where no rule is
one, a test case of its own says why. A reader of this file alone can never see a green refusal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from xml.etree import ElementTree as ET

from aims_gate.facts import Statistic
from aims_gate.harmless import plain
from aims_gate.policy.model import Threshold
from aims_gate.reports import headline, needs_alert, record_of, refuse_contradiction, remark
from aims_gate.verdict import Outcome, Result, Verdict

_QUIET = frozenset({Outcome.PASS, Outcome.WARN})
_NOUNS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def render(verdict: Verdict) -> str:
    """Write *verdict* as JUnit XML; RecordError if it contradicts itself."""
    refuse_contradiction(verdict)
    cases = [_case(result, verdict) for result in verdict.results]
    counts = Counter(child.tag for case in cases for child in case if child.tag in _NOUNS)
    if needs_alert(verdict, verdict.results):
        cases.append(_whole(verdict))
        counts["error"] += 1
    numbers = {"tests": len(cases)} | {plural: counts[tag] for tag, plural in _NOUNS.items()}
    told = {name: str(count) for name, count in numbers.items()}
    # a clock that was set back must not make a file that no server reads
    took = max((verdict.finished - verdict.started).total_seconds(), 0)
    seconds = {"time": f"{took:.3f}"}
    root = ET.Element("testsuites", {"name": "aims-gate", **told, **seconds})
    when = verdict.started
    when = when.astimezone(UTC) if when.tzinfo is not None else when
    stamp = {"timestamp": f"{when:%Y-%m-%dT%H:%M:%S}"}
    suite = ET.SubElement(root, "testsuite", {"name": _policy(verdict), **told, **seconds, **stamp})
    _properties(suite, _about(verdict))
    suite.extend(cases)
    _say(suite, "system-out", f"{headline(verdict)}\nevidence: {record_of(verdict)}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _kind(result: Result) -> str | None:
    """JUnit element of an outcome: error, failure or skipped; None for a passed test."""
    if result.blocking:
        return "error" if result.outcome is Outcome.ERROR else "failure"
    # a result that does not block is not red, and never looks passed either
    return None if result.outcome in _QUIET else "skipped"


def _case(result: Result, verdict: Verdict) -> ET.Element:
    names = {"classname": plain(verdict.policy.id), "name": plain(result.rule), "time": "0"}
    case = ET.Element("testcase", names)
    _properties(case, facts(result))
    told = "; ".join(part for part in (plain(result.reason), remark(result)) if part)
    kind = _kind(result)
    if kind is not None:
        attributes = {"message": f"{result.outcome}: {told}"}
        if kind != "skipped":
            attributes["type"] = result.outcome.value
        ET.SubElement(case, kind, attributes).text = _details(result)
    elif result.outcome is not Outcome.PASS:
        _say(case, "system-out", f"{result.outcome}: {told}")
    return case


def _whole(verdict: Verdict) -> ET.Element:
    """Stand for the verdict itself, where no rule is red and yet the policy is not met."""
    names = {"classname": plain(verdict.policy.id), "name": "verdict", "time": "0"}
    case = ET.Element("testcase", names)
    standing = verdict.standing
    kind = verdict.decision.value if standing is None else standing.authenticity.value
    attributes = {"message": headline(verdict), "type": kind}
    ET.SubElement(case, "error", attributes).text = headline(verdict)
    return case


def _details(result: Result) -> str:
    told = [result.title, result.reason, f"why: {result.why}" if result.why else "", result.place]
    return "\n".join(plain(part) for part in told if part)


def facts(result: Result) -> Iterator[tuple[str, str]]:
    """JUnit properties of a test case; names and values are untrusted text."""
    yield "rule", result.rule
    yield "check", result.check
    yield "severity", result.severity.value
    yield "outcome", result.outcome.value
    if result.raw_outcome is not result.outcome:
        yield "raw_outcome", result.raw_outcome.value
    if result.waiver:
        yield "waiver", result.waiver
    yield "controls", " ".join(result.controls)
    if result.threshold is not None:
        yield "threshold", _threshold(result.threshold)
    for statistic in result.statistics:
        if statistic.judged:
            yield from _measured(statistic)
    yield "place", result.place


def _measured(statistic: Statistic) -> Iterator[tuple[str, str]]:
    where = f" {statistic.slice}" if statistic.slice else ""
    value = statistic.reason or "none" if statistic.value is None else f"{statistic.value:.12g}"
    yield f"value{where}", value
    if statistic.interval is not None:
        low, high = statistic.interval.low, statistic.interval.high
        yield f"interval{where}", f"{low:.12g} to {high:.12g}, level {statistic.interval.level:g}"


def _threshold(threshold: Threshold) -> str:
    named = {
        "at_least": threshold.at_least,
        "at_most": threshold.at_most,
        "warn_below": threshold.warn_below,
        "warn_above": threshold.warn_above,
    }
    return ", ".join(f"{name} {value:.12g}" for name, value in named.items() if value is not None)


def _about(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "verdict", verdict.decision.value
    yield "exit_code", str(verdict.exit_code)
    yield "stage", verdict.stage
    yield "model", verdict.model.uri
    yield "model_sha256", verdict.model.digest
    yield "policy_sha256", verdict.policy.digest


def _policy(verdict: Verdict) -> str:
    return f"{plain(verdict.policy.id)}@{plain(verdict.policy.version)} {plain(verdict.stage)}"


def _properties(parent: ET.Element, facts: Iterator[tuple[str, str]]) -> None:
    listed = ET.SubElement(parent, "properties")
    for name, value in facts:
        ET.SubElement(listed, "property", {"name": plain(name), "value": plain(value)})


def _say(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
