"""Evidence to MLflow: a run of the gate's own, and short tags on the model version.

The order is what makes it safe to be cut off anywhere: artifacts, metrics, the run's end, then the
tags, and the tag that points at the evidence last of all. Tags of other stages stay as they are,
and tags are pointers: only signatures count. Nothing is ever written to the training run.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from aims_gate import canonical
from aims_gate.errors import GateError, RecordError
from aims_gate.facts import ModelIdentity
from aims_gate.policy.model import Threshold
from aims_gate.registry.choose import for_artifacts, open_registry
from aims_gate.registry.contract import Artifacts, Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.sources.mlflow.evidence import (
    EVIDENCE,
    EXPERIMENT,
    FOLDER,
    PENDING,
    POLICY,
    SUMMARY,
    TAG_EVALUATION,
    TAG_NAME,
    TAG_POLICY,
    VERDICT,
    tag,
)
from aims_gate.sources.mlflow.resolve import resolve
from aims_gate.verdict import Result, Verdict

TAG_VERDICT = "aims_gate.verdict"
TAG_STAGE = "aims_gate.stage"
"""On the gate's run, which is for one stage; those of a version name the stage."""
TAG_MODEL = "aims_gate.model"
"""On the gate's run: the model's digest, by which evidence is found without a version's tags."""
USED = "used"
PAGE = "report.html"
"""The page for people, beside the evidence; it is no part of it, and proves nothing."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")


def publish(
    verdict: Verdict,
    directory: Path,
    environ: Mapping[str, str],
    allow: Iterable[str] = (),
    page: Callable[[str], str] | None = None,
) -> str:
    """Copy the evidence of a verdict to the MLflow that its model came from.

    Doing it again completes what an earlier attempt left unfinished, and changes nothing else.

    Args:
        verdict: What was decided; its `evidence` carries the evaluation id.
        directory: The evidence directory, already complete.
        environ: The environment with MLflow's variables.
        allow: Where artifacts may lie, as the policy's `sources.allow` says.
        page: Writes the page for people that goes beside the evidence, given where that will lie.

    Returns:
        `runs:/RUN_ID/aims_gate/EVALUATION_ID`.

    Raises:
        RecordError: MLflow did not take everything. The evidence tag is then not set.
    """
    evaluation = verdict.evidence.id if verdict.evidence else ""
    if not _ID.fullmatch(evaluation):
        raise RecordError(f"evidence cannot be published under the id {evaluation!a}")
    files = _files(directory)
    try:
        registry = open_registry(environ, allow)
        run = _run(registry, verdict, evaluation)
        place = f"runs:/{run.run_id}/{FOLDER}/{evaluation}"
        with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
            sent = files if page is None else {**files, PAGE: Path(private, PAGE)}
            if page is not None:
                sent[PAGE].write_text(page(place), encoding="utf-8")
            _upload(for_artifacts(registry, run.artifact_uri, environ), run, evaluation, sent)
        if values := metrics(verdict):
            registry.log_metrics(run.run_id, values, at=verdict.finished)
        registry.finish_run(run.run_id, at=verdict.finished)
        if verdict.model.version:
            _tag(registry, verdict, _pointer(files, place), environ)
    except RecordError:
        raise
    except GateError as error:
        raise RecordError(
            f"the evidence is not published: {error.what}", where=error.where, hint=error.hint
        ) from error
    return place


def uses(waiver: str, environ: Mapping[str, str]) -> int:
    """Count the published evaluations that the waiver of this id let a rule through in.

    Raises:
        SourceError: MLflow does not answer.
    """
    registry = open_registry(environ)
    return len(registry.find_runs(registry.experiment(EXPERIMENT), waiver_tag(waiver), USED))


def waiver_tag(waiver: str) -> str:
    """Tag of the gate's run that says that it rests on a waiver."""
    return f"aims_gate.waiver.{waiver}"


def metrics(verdict: Verdict) -> dict[str, float]:
    """Metrics to log: `RULE.statistic` and its worst judged value, if it is finite."""
    found: dict[str, float] = {}
    for result in verdict.results:
        for name in dict.fromkeys(s.name for s in result.statistics if s.judged):
            value = _worst(result, name)
            if value is not None:
                found[f"{result.rule}.{name}"] = value
    return found


def _worst(result: Result, name: str) -> float | None:
    values = [
        statistic.value
        for statistic in result.statistics
        if statistic.judged and statistic.name == name and statistic.value is not None
    ]
    finite = [value for value in values if math.isfinite(value)]
    return max(finite, key=_badness(result.threshold), default=None)


def _badness(threshold: Threshold | None) -> Callable[[float], float]:
    low = threshold.at_least if threshold else None
    high = threshold.at_most if threshold else None

    def badness(value: float) -> float:
        if low is not None and high is not None:
            return max(low - value, value - high)
        return -value if low is not None else value

    return badness


def _files(directory: Path) -> dict[str, Path]:
    try:
        files = {path.name: path for path in sorted(directory.iterdir()) if path.is_file()}
    except OSError as error:
        raise RecordError(
            f"the evidence cannot be read: {error.strerror}", where=str(directory)
        ) from error
    if SUMMARY not in files:
        raise RecordError(f"the evidence is not complete: no {SUMMARY}", where=str(directory))
    return files


def _run(registry: Registry, verdict: Verdict, evaluation: str) -> RunRecord:
    """Find the run of this evaluation, or create it and link it to the model."""
    experiment = registry.experiment(EXPERIMENT)
    found = registry.find_runs(experiment, TAG_EVALUATION, evaluation)
    run = found[0] if found else _created(registry, experiment, verdict, evaluation)
    if verdict.model.model_id:
        registry.link_model(run.run_id, verdict.model.model_id)
    return run


def _created(registry: Registry, experiment: str, verdict: Verdict, evaluation: str) -> RunRecord:
    model = verdict.model
    title = f"{model.name} {model.version}".strip()
    return registry.create_run(
        experiment,
        name=f"{title} {verdict.stage} {verdict.decision}",
        started=verdict.started,
        tags={
            TAG_EVALUATION: evaluation,
            TAG_MODEL: f"sha256:{model.digest}",
            TAG_VERDICT: verdict.decision.value,
            TAG_POLICY: _policy(verdict),
            TAG_STAGE: verdict.stage,
            **({TAG_NAME: model.registered} if model.registered else {}),
            **{waiver_tag(one.waiver): USED for one in verdict.results if one.waiver},
        },
    )


def _upload(store: Artifacts, run: RunRecord, evaluation: str, files: Mapping[str, Path]) -> None:
    """Store every file, then look whether all of them are there in full."""
    folder = f"{FOLDER}/{evaluation}"
    for name, path in files.items():
        store.upload(run.artifact_uri, f"{folder}/{name}", path)
    stored = {a.path: a.bytes for a in store.list_artifacts(run.artifact_uri, folder)}
    for name, path in files.items():
        if stored.get(f"{folder}/{name}") != path.stat().st_size:
            raise RecordError(f"MLflow did not keep {name} as it was sent", where=run.artifact_uri)


def _tag(registry: Registry, verdict: Verdict, pointer: str, environ: Mapping[str, str]) -> None:
    model = verdict.model
    _refuse_other(model, registry, environ)
    evidence = tag(verdict.stage, EVIDENCE)
    tags = registry.get_version(model.name, model.version).tags
    if tags.get(evidence, pointer) != pointer:
        # an old pointer beside a new verdict would be a lie if the line is cut in between
        registry.set_version_tag(model.name, model.version, evidence, PENDING)
    said = {VERDICT: verdict.decision.value, POLICY: _policy(verdict), EVIDENCE: pointer}
    for what, value in said.items():
        registry.set_version_tag(model.name, model.version, tag(verdict.stage, what), value)


def _refuse_other(model: ModelIdentity, registry: Registry, environ: Mapping[str, str]) -> None:
    """Refuse to tag a version that was deleted and made anew since it was judged."""
    uri = f"models:/{model.name}/{model.version}"
    now = resolve(uri, registry, environ)
    if now.resolved_uri != model.resolved_uri:
        raise RecordError(
            f"the version now is another model, {now.resolved_uri}",
            where=uri,
            hint="run the gate on it again",
        )


def _pointer(files: Mapping[str, Path], place: str) -> str:
    return f"sha256:{canonical.sha256_file(files[SUMMARY])} {place}"


def _policy(verdict: Verdict) -> str:
    policy = verdict.policy
    return f"{policy.id}@{policy.version} sha256:{policy.digest}"
