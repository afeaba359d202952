"""Verdicts as the gate gives them: passed, refused, undecided, unsigned, and full of hostility."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aims_gate.errors import PolicyError, Problem, TrustError
from aims_gate.facts import (
    Ancestor,
    DatasetIdentity,
    DigestKind,
    Interval,
    ModelIdentity,
    NoValue,
    Statistic,
)
from aims_gate.policy.model import Severity, Threshold
from aims_gate.reports.ended import ended
from aims_gate.verdict import (
    Decision,
    EvidenceIdentity,
    Outcome,
    PolicyIdentity,
    Result,
    Verdict,
)

STARTED = datetime(2026, 11, 23, 9, 30, 15, 250_000, tzinfo=UTC)

HOSTILE = (
    "credit\n::error::owned",
    "\r::set-env name=PATH::/tmp",
    "##[add-mask]x ##vso[task.complete result=Succeeded;]",
    "a | b \\| c || d",
    "<img src=x onerror=alert(1)></details></code><script>",
    "\x1b[31mred\x1b]8;;http://evil.example\x07link\x1b\\ \x9b2J \x08\x7f",
    "rtl \u202ekcatta\u202c zero\u200bwidth \u2066iso\u2069 \ufeff",
    "`tick` ``two`` *bold* _em_ ~~no~~ # head - [x](http://evil.example) ![i](http://e.example/i)",
    "@octocat @org/team #1 GH-2 www.evil.example https://evil.example owner/repo#3",
    "]]> &amp; &lt; \ufffe\uffff \ud800 \x00",
)

ROC = Result(
    rule="PERF-01",
    check="performance.score",
    severity=Severity.BLOCK,
    outcome=Outcome.PASS,
    raw_outcome=Outcome.PASS,
    reason="roc auc 0.843 (90 % 0.831-0.855) >= 0.8, n=5,000",
    threshold=Threshold(at_least=0.8),
    statistics=(
        Statistic(
            name="roc_auc",
            value=0.8431,
            interval=Interval(low=0.8312, high=0.8545, level=0.9, method="delong-logit"),
            rows=5_000,
            total=5_000,
            judged=True,
        ),
    ),
    controls=("iso42001:A.6.2.4",),
    title="The model ranks better than a floor, and the data prove it",
    place="policy.yaml:23",
    decided=True,
)
NOT_HERE = Result(
    rule="GOV-02",
    check="integrity.run",
    severity=Severity.BLOCK,
    outcome=Outcome.NOT_APPLICABLE,
    raw_outcome=Outcome.NOT_APPLICABLE,
    reason="applies_to leaves out credit-risk at production (policy.yaml:12)",
    threshold=Threshold(at_most=0),
    controls=("iso42001:A.4.4", "iso42001:A.7.6"),
    place="policy.yaml:11",
)
MISSING_VALUES = Result(
    rule="DATA-02",
    check="data.missing",
    severity=Severity.BLOCK,
    outcome=Outcome.PASS,
    raw_outcome=Outcome.PASS,
    reason="missing share income 0.012 <= 0.05, n=5,000 (the closest of 14)",
    threshold=Threshold(at_most=0.05),
    statistics=(
        Statistic(name="missing_share", slice="income", value=0.012, rows=5_000, judged=True),
        Statistic(name="missing_share", slice="age", value=0.0, rows=5_000, judged=True),
    ),
    controls=("iso42001:A.7.4",),
    title="Few values are missing",
    place="policy.yaml:16",
    decided=True,
)
BIAS = Result(
    rule="BIAS-02",
    check="fairness.impact_ratio",
    severity=Severity.BLOCK,
    outcome=Outcome.FAIL,
    raw_outcome=Outcome.FAIL,
    reason="impact ratio sex=F vs sex=M 0.712 (95 % 0.661-0.764) < 0.8, n=1,212 of 5,000; "
    "proven past 0.9",
    threshold=Threshold(at_least=0.8),
    statistics=(
        Statistic(
            name="impact_ratio",
            slice="sex=F vs sex=M",
            value=0.7123,
            interval=Interval(low=0.6611, high=0.7642, level=0.95, method="mover-log"),
            rows=1_212,
            total=5_000,
            judged=True,
        ),
        Statistic(
            name="impact_ratio",
            slice="race=E vs race=A",
            rows=0,
            total=5_000,
            judged=True,
            lack=NoValue.UNDEFINED,
            reason="nobody in race=A was selected",
        ),
        Statistic(name="selection_rate", slice="sex=F", value=0.31, rows=1_212, total=5_000),
    ),
    controls=("iso42001:A.5.4", "iso42001:A.6.2.4"),
    title="Groups are selected at similar rates",
    why="Four fifths is the customary line for a noticeable difference in selection.",
    place="policy.yaml:41",
    blocking=True,
    decided=True,
)
FEW = Result(
    rule="BIAS-03",
    check="fairness.odds",
    severity=Severity.BLOCK,
    outcome=Outcome.INSUFFICIENT,
    raw_outcome=Outcome.INSUFFICIENT,
    reason="true positive rate gap race=C vs race=A 0.11 (95 % -0.04-0.26) <= 0.2, n=61 of 5,000; "
    "61 rows cannot show a gap of 0.2, 283 could",
    threshold=Threshold(at_most=0.2),
    statistics=(
        Statistic(
            name="true_positive_rate_gap",
            slice="race=C vs race=A",
            value=0.11,
            interval=Interval(low=-0.04, high=0.26, level=0.95, method="mover"),
            rows=61,
            total=5_000,
            judged=True,
        ),
    ),
    controls=("iso42001:A.5.4",),
    place="policy.yaml:50",
    blocking=True,
)
NO_DATA = Result(
    rule="MON-01",
    check="drift.columns",
    severity=Severity.BLOCK,
    outcome=Outcome.MISSING,
    raw_outcome=Outcome.MISSING,
    reason="there are no current data",
    threshold=Threshold(at_most=0.25, warn_above=0.1),
    statistics=(
        Statistic(
            name="psi", judged=True, lack=NoValue.MISSING, reason="there are no current data"
        ),
    ),
    controls=("iso42001:A.6.2.6",),
    place="policy.yaml:60",
    blocking=True,
)
STALE = Result(
    rule="DATA-07",
    check="data.schema",
    severity=Severity.BLOCK,
    outcome=Outcome.STALE,
    raw_outcome=Outcome.STALE,
    reason="the evaluation data are 44.0 days old, more than 31",
    statistics=(Statistic(name="age_days", slice="evaluation", value=44.0, rows=5_000),),
    place="policy.yaml:70",
    blocking=True,
)
SOFT_FAIL = Result(
    rule="DATA-05",
    check="data.schema",
    severity=Severity.WARN,
    outcome=Outcome.FAIL,
    raw_outcome=Outcome.FAIL,
    reason="schema difference zip 1 > 0",
    threshold=Threshold(at_most=0),
    statistics=(Statistic(name="schema_difference", slice="zip", value=1.0, judged=True),),
    title="Evaluation data have the columns and types of the reference data",
    place="policy.yaml:80",
    decided=True,
)
WAIVED = Result(
    rule="DATA-09",
    check="data.missing",
    severity=Severity.BLOCK,
    outcome=Outcome.WAIVED,
    raw_outcome=Outcome.FAIL,
    reason="missing share phone 0.081 > 0.05, n=5,000",
    threshold=Threshold(at_most=0.05),
    statistics=(
        Statistic(name="missing_share", slice="phone", value=0.081, rows=5_000, judged=True),
    ),
    waiver="W-2026-014",
    place="policy.yaml:90",
    decided=True,
)
PENDING = Result(
    rule="MON-02",
    check="drift.columns",
    severity=Severity.BLOCK,
    outcome=Outcome.WARN,
    raw_outcome=Outcome.FAIL,
    reason="psi income 0.41 (90 % 0.3-inf) > 0.25, n=1,000; FAIL from 2027-01-01 on",
    threshold=Threshold(at_most=0.25, warn_above=0.1),
    statistics=(
        Statistic(
            name="psi",
            slice="income",
            value=0.41,
            interval=Interval(low=0.3, high=math.inf, level=0.9, method="ncx2"),
            rows=1_000,
            total=1_000,
            judged=True,
        ),
    ),
    place="policy.yaml:99",
    decided=True,
)
CRASH = Result(
    rule="BIAS-06",
    check="fairness.parity",
    severity=Severity.BLOCK,
    outcome=Outcome.ERROR,
    raw_outcome=Outcome.ERROR,
    reason="parity gap sex: the label column has 3 nulls; drop them or set max_null_labels",
    threshold=Threshold(at_most=0.1),
    statistics=(Statistic(name="parity_gap", slice="sex", value=math.nan, rows=40, judged=True),),
    place="policy.yaml:110",
    blocking=True,
)

SIGNED = EvidenceIdentity(
    id="20261123T093015Z-0a1b2c3d",
    directory="aims-gate-evidence/0c5f1e2a9b3d/20261123T093015Z-0a1b2c3d",
    signed=True,
    key="SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE",
    published="runs:/4f1c9e2d/aims_gate/20261123T093015Z-0a1b2c3d",
)


def verdict_of(*results: Result, decision: Decision) -> Verdict:
    """A signed verdict on one model, with the results given."""
    return Verdict(
        decision=decision,
        stage="production",
        model=ModelIdentity(
            uri="models:/credit-risk/7",
            name="credit-risk",
            version="7",
            resource_uri="pkg:mlflow/credit-risk@7?repository_url=https%3A%2F%2Fmlflow.example",
            digest="0c5f1e2a9b3d" + "0123456789abcdef" * 3 + "0123",
            files=4,
            bytes=5_061,
            model_id="m-0c5f",
            run_id="4f1c9e2d",
            reader="rest",
        ),
        policy=PolicyIdentity(
            id="credit-risk",
            version="3.2.0",
            digest="9a33" * 16,
            uri="policy.yaml",
            extends=(Ancestor(uri="pack:release@1.0.0", digest="5e" * 32),),
        ),
        results=results,
        datasets=(
            DatasetIdentity(
                role="evaluation",
                name="eval",
                uri="runs:/4f1c9e2d/aims_gate/evaluation.parquet",
                digest="5b2f" * 16,
                digest_kind=DigestKind.FILE,
                rows=5_000,
                mlflow_digest="1bb559db",
            ),
        ),
        evidence=SIGNED,
        started=STARTED,
        finished=STARTED + timedelta(seconds=4, milliseconds=321),
        versions={"aims-gate": "0.1.0", "python": "3.11.2", "engine:native": "native 0.1.0"},
    )


def hostile_verdict(text: str) -> Verdict:
    """A refusal in which every text that a stranger can choose is *text*."""
    verdict = verdict_of(decision=Decision.REFUSED)
    statistics = tuple(
        replace(s, name=text, slice=text, reason=text, engine=text) for s in BIAS.statistics
    )
    fail, passed = (
        replace(
            result,
            rule=text,
            check=text,
            reason=text,
            title=text,
            why=text,
            place=text,
            controls=(text, text),
        )
        for result in (replace(BIAS, statistics=statistics, waiver=text), ROC)
    )
    waived = replace(WAIVED, rule=text, reason=text, waiver=text)
    return replace(
        verdict,
        stage=text,
        model=replace(verdict.model, uri=text, name=text, version=text, run_id=text),
        policy=replace(
            verdict.policy,
            id=text,
            version=text,
            uri=text,
            extends=(Ancestor(uri=text, digest=text),),
        ),
        datasets=tuple(replace(d, name=text, uri=text, role=text) for d in verdict.datasets),
        evidence=replace(SIGNED, directory=text, key=text, published=text),
        results=(fail, passed, waived),
        versions={text: text},
    )


ENDED = replace(
    ended(
        PolicyError(
            [
                Problem(file="policy.yaml", line=7, what="unknown check 'performance.scor'"),
                Problem(file="policy.yaml", line=9, what="at_least is NaN", hint="state a number"),
            ]
        ),
        policy="policy.yaml",
        model="models:/credit-risk/7",
        stage="",
        started=STARTED,
        now=STARTED,
    ),
    versions={"aims-gate": "1.0.0"},
)
UNTRUSTED = replace(
    ended(
        TrustError("the model is not the one that was measured", where="model.sha256"),
        policy="policy.yaml",
        model="models:/credit-risk/7",
        stage="production",
        started=STARTED,
        now=STARTED,
    ),
    versions={"aims-gate": "1.0.0"},
)
CASES = {
    "ended": ENDED,
    "untrusted": UNTRUSTED,
    "passed": verdict_of(
        ROC, NOT_HERE, MISSING_VALUES, WAIVED, PENDING, SOFT_FAIL, decision=Decision.PASSED
    ),
    "refused": verdict_of(
        ROC, SOFT_FAIL, FEW, BIAS, NO_DATA, STALE, MISSING_VALUES, CRASH, decision=Decision.REFUSED
    ),
    "undecided": verdict_of(ROC, CRASH, decision=Decision.UNDECIDED),
    "nothing-decided": verdict_of(NOT_HERE, SOFT_FAIL, decision=Decision.UNDECIDED),
    "nothing-held": verdict_of(
        replace(FEW, blocking=False),
        replace(NO_DATA, blocking=False, outcome=Outcome.WARN),
        NOT_HERE,
        SOFT_FAIL,
        decision=Decision.UNDECIDED,
    ),
    "unsigned": replace(
        verdict_of(ROC, BIAS, decision=Decision.REFUSED),
        evidence=replace(SIGNED, signed=False, key="", published=""),
    ),
    "unrecorded": replace(verdict_of(ROC, decision=Decision.PASSED), evidence=None),
    "hostile": hostile_verdict("a\n::error::b ##[c] |d\\| <img src=x> \x1b[31m`e` \u202e@f"),
}
