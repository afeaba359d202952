"""Advice: what to do about each refusal, with the commands to copy; it decides nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from aims_gate.facts import CLAIMED
from aims_gate.harmless import Quote, plain
from aims_gate.policy.model import Severity
from aims_gate.verdict import Authenticity, Decision, Outcome, Result, Verdict

UNMET = frozenset(
    {Outcome.FAIL, Outcome.ERROR, Outcome.MISSING, Outcome.STALE, Outcome.INSUFFICIENT}
)
"""Outcomes that refuse, or leave undecided, where their rule is a blocking one."""
_WAIVABLE = frozenset({Outcome.FAIL, Outcome.INSUFFICIENT, Outcome.MISSING, Outcome.STALE})
"""Outcomes that a signed waiver can let through."""


def in_order(verdict: Verdict) -> list[Result]:
    """Results sorted: blocking ones first, then from the worst outcome to the best."""
    rank = tuple(Outcome).index
    return sorted(verdict.results, key=lambda r: (not r.blocking, rank(r.outcome)))


_REMEDIES = {
    "performance": "look at the rows that the model gets wrong, train it anew, log it and its data",
    "fairness": "compare the named groups in the training data (rows, labels, missing values); "
    "weighing or balancing them, other features or another threshold are the usual remedies",
    "drift": "look at the named columns where the data come from: mend a broken feed there; where "
    "the world has changed, train on newer data and log a new reference",
    "data": "mend the named columns where the data are made",
    "integrity": "find out who or what made it so; deploy nothing but the bytes that were judged",
}
"""What to do about a FAIL, by the family of its check."""
_ROWS = "performance.sample"
_OWN_REMEDIES = {
    _ROWS: "evaluate on more rows",
    "performance.logged": "find out what the number was logged for (other rows, another model, a "
    "mistake), and log what was measured",
    "performance.calibration": "calibrate the scores on rows that are neither trained nor "
    "evaluated on, log the calibrated model and its data",
    "data.overlap": "take the rows that training knows out of the evaluation data",
    "data.freshness": "evaluate on newer data",
    "data.personal": "drop the named columns, or replace what they hold by keys of no meaning; or "
    "say under declared: what the data sheet says",
    "monitoring.alive": "start the scheduled run of the monitoring policy again, and find out what "
    "stopped it",
    "integrity.environment": "log the model with pip_requirements that pin each library",
    "data.duplicates": "find out why rows repeat where the data are made, and keep one of each",
}
"""The same for checks of which their family's is not true."""
_SCORED_LOW = (
    "look at the traces or rows that were scored low, mend the model, its prompt or its data, and "
    "evaluate again"
)
_ABSENT = re.compile(
    r"(?P<role>\w+) data(?: \([^)]*\))?(?:, (?P<key>\w+))?: no column .*?"
    r"(?:, which data\.\w+ names as (?P<named_as>[\w.]+))?;"
)
_EMPTY = "data have no rows"
_NUMBERED = re.compile(r" #[0-9]")
_NAME_THEM = (
    "groups are numbers where only the run names their columns: state sensitive: under "
    "data.evaluation of the policy, and they are called by name"
)
_LONGER = "hand over more rows of the named data, such as a longer window; fewer never pass"
_NO_RECORDS = "there are no records"
_DRAFT = "draft the records (aims-gate aims init --model URI), fill them in and have them approved"
_RECORDS = {
    "records.complete": "fill in the named fields; aims-gate aims todo says who is asked",
    "records.fresh": "review the named records, write the day of it into them and have another "
    "person approve them; run the rules that measure the rest",
    "records.approved": "have another person review or sign the named records: a merged pull "
    "request, or aims-gate aims approve FILE --key KEY",
    "records.current": "look at the named parts of the named records again, and have them approved",
    "records.preregistered": "have the policy approved first, then train and evaluate anew",
    "records.consistent": "write the named record anew from this run (aims-gate aims docs build), "
    "or mend what it says",
    "risks.residual": "treat the named risks further, or have the risk owner accept what is left",
    "risks.treated": "mend the rules that treat the named risks, or treat them otherwise and have "
    "the risk owner accept that",
    "aims.soa": "mend the named rows of the Statement of Applicability, or what they say is done",
    "aims.inventory": "write the named models into the inventory, or take them out of service",
    "log.learned": "keep the rule that the named entry became: it blocks, its why names the entry, "
    "and the entry says became: RULE",
    "log.open": "close the named entries: cause, action, and whether it worked",
}
"""What to do about records, however a check over them ended."""
FAMILIES = ("performance", "fairness", "drift", "data", "integrity", "oversight", "records")
"""What checks are about: mostly the first word of their names."""
_KIN = {
    "fairlearn": "fairness",
    "evidently": "drift",
    "monitoring": "oversight",
    **dict.fromkeys(("risks", "log", "aims"), "records"),
}
_TODO = {
    Outcome.FAIL: "find out why it is so, mend it at its root, then run the gate again",
    Outcome.ERROR: "remove the cause named above, then run the gate again; "
    "what cannot be measured never passes",
    Outcome.MISSING: "hand over what is missing: log it with aims_gate.log_evaluation, "
    "or use --data ROLE=URI; a wrong name is mended in the policy",
    Outcome.STALE: "evaluate on newer data",
    Outcome.INSUFFICIENT: "evaluate on more rows, of every group; fewer never pass",
}


def advice(result: Result) -> str:
    """Say what to do about a result; empty where there is nothing to do."""
    return _remedy(result) or _TODO.get(result.raw_outcome, "")


def next_steps(verdict: Verdict, quote: Quote = plain) -> Iterator[str]:
    """Next steps: one piece of advice per kind of unmet outcome."""
    steps: dict[tuple[Outcome, str], list[str]] = {}
    for outcome in _TODO:
        for result in (r for r in in_the_way(verdict) if r.raw_outcome is outcome):
            steps.setdefault((outcome, advice(result)), []).append(quote(result.rule))
    yield from (f"{outcome} {_few(rules)}: {told}" for (outcome, told), rules in steps.items())
    if verdict.standing is not None and verdict.standing.authenticity is not Authenticity.VERIFIED:
        yield "rely on nothing here before aims-gate verify says that it holds"
    elif not steps and not verdict.passed:
        yield "read applies_to and the severities of the policy: none of its blocking rules decided"


def in_the_way(verdict: Verdict) -> list[Result]:
    """Blocking results; where none blocks and the policy is not met, the undecided ones."""
    ordered = in_order(verdict)
    blocking = [r for r in ordered if r.blocking]
    if blocking or verdict.decision is Decision.PASSED:
        return blocking
    asked = [r for r in ordered if r.severity is Severity.BLOCK]
    return [r for r in asked if not r.decided and r.outcome is not Outcome.NOT_APPLICABLE]


def family_of(check: str) -> str:
    """Family of a check: one of FAMILIES, or the first word of a name that is not ours."""
    named = re.split(r"[.:]", check)[0]
    return _KIN.get(named, named)


def _remedy(result: Result) -> str:
    """Say what to do about this check's outcome; empty where it is what any check's is."""
    family = family_of(result.check)
    if result.check in _RECORDS and result.raw_outcome in UNMET - {Outcome.ERROR}:
        return _DRAFT if _NO_RECORDS in result.reason else _RECORDS[result.check]
    if result.raw_outcome is Outcome.INSUFFICIENT and family == "drift":
        return _LONGER
    if result.raw_outcome is Outcome.MISSING:
        return _what_is_missing(result.reason)
    if result.raw_outcome is not Outcome.FAIL:
        return ""
    if family == "performance" and CLAIMED in result.reason and result.check != _ROWS:
        return _SCORED_LOW
    told = _OWN_REMEDIES.get(result.check) or _REMEDIES.get(family, "")
    if family == "fairness" and _NUMBERED.search(result.reason):
        told += f"; {_NAME_THEM}"
    return told


def _what_is_missing(reason: str) -> str:
    """Say what to write where a column is not there, or what to do about data without rows."""
    named = _ABSENT.search(reason)
    if named is not None:
        role, key = named["role"], named["key"] or named["named_as"]
        where = f"{key}: under data.{role}" if key else f"under data.{role}, or in the rule,"
        return (
            f"name a column that is there, {where} of the policy, or the argument of "
            f"aims_gate.log_evaluation; or hand over {role} data that have it"
        )
    return "find out why nothing was written, and hand over rows" if _EMPTY in reason else ""


def question(verdict: Verdict) -> str:
    """Command that explains the first unmet rule; empty where there is none."""
    standing = in_the_way(verdict)
    if not standing or verdict.ended_with is not None:
        return ""
    return _command("explain", verdict.policy.uri, standing[0].rule)


def exceptions(verdict: Verdict) -> Iterator[str]:
    """Command for each refused rule that drafts a waiver of it, for 10 rules at most."""
    evidence = verdict.evidence
    if evidence is None or not evidence.directory:
        return
    refused = [r for r in in_the_way(verdict) if r.blocking and r.raw_outcome in _WAIVABLE]
    for result in refused[:10]:
        words = ["waiver", "draft", result.rule, "--evidence", evidence.directory]
        yield f"{_command(*words)} --by YOU"


def every_cell(verdict: Verdict) -> Iterator[str]:
    """File with the cells that a line only counts, `(and 3 more)`; nothing without one."""
    counted = any(r.blocking and len(r.statistics) > 1 for r in verdict.results)
    if counted and verdict.evidence is not None and verdict.evidence.directory:
        yield shlex.quote(plain(f"{verdict.evidence.directory}/report.json"))


def proof(verdict: Verdict) -> str:
    """Command that verifies the evidence; empty where nothing signed was written.

    It names no trust file: trust.yaml, or the one in pyproject.toml, is the default.
    """
    evidence = verdict.evidence
    where = "" if evidence is None else evidence.directory or evidence.published
    if evidence is None or not (evidence.signed and where):
        return ""
    words = ["verify", where, "--model", verdict.model.uri]
    return _command(*words, "--stage", verdict.stage)


def _command(*words: str) -> str:
    return shlex.join(["aims-gate", *(plain(word) for word in words)])


def _few(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
