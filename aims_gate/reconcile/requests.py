"""Requests: whose author asks for an evaluation, by an alias or a tag, gets one once it is ready.

A request is answered once: by the evidence that there is, where an alias asks, and by a new
evaluation where a tag does, for each of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aims_gate import canonical
from aims_gate.errors import UndecidedError
from aims_gate.reconcile import evaluate
from aims_gate.reconcile.case import Act, Case
from aims_gate.reconcile.proof import ANSWERS, prove_version
from aims_gate.registry.entities import Version
from aims_gate.registry_file.grammar import fold
from aims_gate.sources.mlflow.evidence import tag
from aims_gate.sources.mlflow.resolve import resolve

UNFINISHED = frozenset({"RUNNING", "SCHEDULED"})
WAIT = 30.0
"""Seconds between looks at a run that is not finished."""
ANSWER = "request"
"""What the tag of a stage is called that says what came of a request."""
_WRONG = frozenset({2, 4})
"""Exit codes of a set-up that a person must mend; every other failure is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """An evaluation that is asked for."""

    version: Version
    by: str
    """`alias NAME`, or `tag NAME=VALUE`."""
    anew: bool
    """Whether a new evaluation is asked for where there is evidence."""


def requested(
    case: Case, versions: Iterable[Version], aliases: Mapping[str, str]
) -> Iterator[EvaluationRequest]:
    """Requests about versions of the model, the oldest version first."""
    alias, key = case.guarded.trigger_alias, case.guarded.trigger_tag
    if not case.guarded.policy:
        return
    for version in sorted(versions, key=lambda one: int(one.version)):
        value = version.tags.get(key) if key else None
        if value is not None:
            yield EvaluationRequest(version=version, by=f"tag {key}={value}", anew=True)
            continue
        called = [name for name, at in aliases.items() if at == version.version]
        if alias and fold(alias) in map(fold, called):
            yield EvaluationRequest(version=version, by=f"alias {alias}", anew=False)


def answer(case: Case, asked: EvaluationRequest) -> float | None:
    """Answer a request.

    Returns:
        After how many seconds to look again, because a run is not finished; None if all is done.

    Raises:
        UndecidedError: An evaluation could not decide, and may another time.
    """
    version, uri = asked.version, case.uri(asked.version.version)
    about = (version.source, asked.by, _policy_digest(case))
    if any(
        one.id == case.named(Act.EVALUATED, "", "", version.version, *about)
        for one in case.inbox.actions(case.key)
    ):
        return None
    found = resolve(uri, case.registry, case.controller.environ)
    if found.run is not None and found.run.status in UNFINISHED:
        return WAIT
    proof = prove_version(case, version.version)
    if asked.anew or proof.state not in ANSWERS:
        ended = evaluate.evaluate(case, version.version)
        proof = prove_version(case, version.version)
        if proof.state not in ANSWERS:
            what = f"the gate could not decide (exit code {ended.code}): {ended.words}"
            if ended.code not in _WRONG:
                raise UndecidedError(what, where=uri)
            _say(case, version, "error", what)
            case.act(Act.EVALUATED, *about, to=version.version, reason=f"error: {what}")
            return None
    _say(case, version, proof.state, proof.reason)
    reason = f"{proof.state}, as {asked.by} asked: {proof.reason}"
    case.act(Act.EVALUATED, *about, to=version.version, reason=reason, evidence=proof.evidence)
    return None


def _say(case: Case, version: Version, word: str, why: str) -> None:
    """Answer on the version itself, where its author looks."""
    case.tag(version.version, tag(case.guarded.stage, ANSWER), f"{word}: {why}")


def _policy_digest(case: Case) -> str:
    """A mended policy answers anew; SHA-256 of its file, or the name of a pack."""
    policy = case.controller.policy(case.guarded.policy)
    return canonical.sha256_file(Path(policy)) if Path(policy).is_file() else policy
