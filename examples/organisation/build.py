"""Build a year of an organisation with three models: `python build.py FOLDER`.

FOLDER gets a copy of the records beside this file, and what a year of work leaves behind: an MLflow
store with every version, signed evidence of each judgement, signed promotions. The data are those
of aims-gate's own demo, the American Community Survey of Massachusetts. The clock is a parameter:
nothing here asks what day it is.
"""

from __future__ import annotations

import argparse
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from systems import SYSTEMS, System, answered, features_of, logistic, sample
from year import GATE, Clock, Year

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.attest.signers import load_signer
from aims_gate.evidence.signed_policy import sign_policy
from aims_gate.operations import signoff
from aims_gate.operations.aims.approve import approve
from aims_gate.operations.aims.docs import build as build_docs
from aims_gate.operations.aims.known import look
from aims_gate.operations.log_evaluation import log_evaluation
from aims_gate.policy.resolve import load

HERE = Path(__file__).parent
END = date(2026, 11, 30)
"""The last day of the year that is built."""
PEOPLE = ("ada", "cy", "eve")
"""Who has a key, beside the gate."""
SIGN = {"suppliers.yaml": ("eve",), "people.yaml": ("cy", "ada")}
"""Who signs a document in Cy's place; the list of people, which says who may, has two."""
ADOPTED = 8
"""Weeks before the end at which people sign the records, and policies begin to ask for them."""
WEEKLY = 16
"""Weeks before the end from which monitoring runs each week; each fourth before. Longer than the
92 days in which the baseline asks for no hole."""
BROKEN = 24
"""Weeks before the end at which the survey's stretch of group quarters reaches employment."""


def main(arguments: list[str] | None = None) -> None:
    """Build FOLDER, which must not be there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--end", type=date.fromisoformat, default=END)
    parser.add_argument("--weeks", type=int, default=52, help="how much of the year is built")
    parser.add_argument("--release", default="", help="only this system, on the last day")
    asked = parser.parse_args(arguments)
    build(asked.folder, end=asked.end, weeks=asked.weeks, release=asked.release)


def build(folder: Path, *, end: date, weeks: int = 52, release: str = "") -> Year:
    """Build the organisation in *folder*: the last *weeks* before *end*.

    On the last day every system releases a version, or only the one that *release* names.
    """
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "golden"))
    folder = folder.resolve()
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    _keys(folder)
    year = Year(folder=folder, clock=Clock(at=datetime(end.year, end.month, end.day, tzinfo=UTC)))
    for weeks_left in range(weeks, -1, -1):
        day = end - timedelta(weeks=weeks_left)
        for number, system in enumerate(SYSTEMS):
            year.clock.on(day, hour=6 + number)
            if weeks_left or release in {"", system.name}:
                _week(year, system, weeks_left, weeks=weeks)
    return year


def _keys(folder: Path) -> None:
    for who in (GATE, *PEOPLE):
        if guarded(["evidence", "key", "generate", "--out", str(folder / f"{who}.key")]):
            raise SystemExit(f"no key for {who}")
    lines = ["apiVersion: aims-gate/v1", "kind: Trust", "keys:"]
    lines += [f"  - {{person: pipeline@acme.example, public_key: {GATE}.key.pub, roles: [gate]}}"]
    for who in PEOPLE:
        roles = "[approver, policy, records]"
        lines.append(
            f"  - {{person: {who}@acme.example, public_key: {who}.key.pub, roles: {roles}}}"
        )
    (folder / "trust.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _week(year: Year, system: System, weeks_left: int, *, weeks: int) -> None:
    """What happens in one week: a candidate each quarter, and monitoring of what is served."""
    first = weeks_left == weeks
    if not first and (weeks_left <= WEEKLY or weeks_left % 4 == 0):
        broken = weeks_left == BROKEN and system.name == "employment"
        _monitored(year, system, "current_broken" if broken else "current_stable", weeks_left)
    if first or weeks_left % 13 == 0:
        _candidate(year, system, seed=weeks_left)
    if weeks_left == 30 and system.name == "employment":
        _candidate(year, system, seed=weeks_left, strict=True)
    if weeks_left == min(weeks, ADOPTED):
        _adopted(year, system)


def _candidate(year: Year, system: System, *, seed: int, strict: bool = False) -> None:
    """Train a version, judge it, and promote it if it met the policy."""
    model, version = _trained(year, system, seed=seed, strict=strict)
    year.clock.at += timedelta(minutes=20)
    if system.name in year.adopted:
        _prepared(year, system, version)
    policy = "policy.yaml" if system.name in year.adopted else "policy-2.yaml"
    verdict = year.judge(system, policy, version)
    if verdict.passed and verdict.evidence is not None:
        year.clock.at += timedelta(hours=3)
        place = Path(verdict.evidence.directory)
        year.promote(system, version, f"quarterly release, version {version}", place)
        year.champions[system.name] = (version, model)
        year.evidence[system.name] = place


def _adopted(year: Year, system: System) -> None:
    """From now on records are judged, too: people sign them, and the policy that asks for them."""
    trust = year.folder / "trust.yaml"
    year.adopted.add(system.name)
    policy = load(year.folder / system.name / "policy.yaml")
    eve = load_signer(str(year.folder / "eve.key"), {})
    sign_policy(policy, eve, trust=trust_file.load(trust), now=year.clock.now())
    records = [year.folder / system.name / "aims"]
    records += [year.folder / "org"] if len(year.adopted) == 1 else []
    for folder in records:
        for path in sorted(folder.rglob("*")):
            if path.is_dir() or "log" in path.parts:
                continue
            for who in SIGN.get(path.name, ("cy",)):
                approve(
                    path,
                    signer=load_signer(str(year.folder / f"{who}.key"), {}),
                    trust=trust,
                    evidence=year.evidence[system.name],
                    now=year.clock.now(),
                )


def _prepared(year: Year, system: System, version: str) -> None:
    """Measure a version without a key; build its card, and let the validator sign its bytes."""
    measured = year.judge(system, "policy.yaml", version, signed=False)
    place = Path("" if measured.evidence is None else measured.evidence.directory)
    folder = year.folder / system.name
    known = look(
        f"models:/{system.name}/{version}",
        policy=folder / "policy.yaml",
        evidence=str(place),
        trust=None,
        environ=dict(os.environ),
        now=year.clock.now(),
    )
    build_docs(known, folder / "aims")
    asked = signoff.Asked(
        evidence=place,
        requested_by="ben@acme.example",
        why="looked at the lists of the desk with this version",
        now=year.clock.now(),
    )
    draft = signoff.save(signoff.draft_approval("validator", asked), None, folder / "approvals")
    cy = load_signer(str(year.folder / "cy.key"), {})
    signoff.approve(draft, cy, year.folder / "trust.yaml", now=year.clock.now())


def _monitored(year: Year, system: System, name: str, seed: int) -> None:
    """Judge this week's answers of the version that is served."""
    version, model = year.champions[system.name]
    frame = answered(system, model, sample(name, 4000, seed=seed))
    path = year.folder / "current" / f"{system.name}-{seed:02}.parquet"
    path.parent.mkdir(exist_ok=True)
    frame.to_parquet(path, index=False)
    year.judge(system, "monitoring.yaml", version, path)


def _trained(year: Year, system: System, *, seed: int, strict: bool) -> tuple[Any, str]:
    """Fit and log a version whose run began when the clock says; the model and the version."""
    import mlflow

    train = sample("train", 12000, seed=seed)
    features = features_of(system, strict=strict)
    model = logistic(features).fit(train[features], system.true(train))
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    client = mlflow.MlflowClient()
    began = int(year.clock.at.timestamp() * 1000)
    run = client.create_run(_experiment(client, year.folder), start_time=began).info.run_id
    with mlflow.start_run(run_id=run):
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=system.name,
            signature=mlflow.models.infer_signature(train[features].head(5)),
            pip_requirements=[f"scikit-learn=={version_of('scikit-learn')}"],
            skops_trusted_types=["numpy.dtype"],
        )
        evaluation = answered(system, model, sample("evaluation", 16000, seed=1), strict=strict)
        roles = {"label": system.label, "key": "id"}
        log_evaluation(
            evaluation,
            prediction="prediction",
            score="score",
            positive=1,
            sensitive=list(system.sensitive),
            **roles,
        )
        others = {"reference": train, "current": sample("current_stable", 8000, seed=seed)}
        for role, frame in others.items():
            frame[system.label] = system.true(frame)
            log_evaluation(frame, role=role, **roles)
    client.set_terminated(run, end_time=began + 600_000)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{year.folder / 'mlflow.db'}"
    return model, str(logged.registered_model_version)


def _experiment(client: Any, folder: Path) -> str:
    found = client.get_experiment_by_name("acme")
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment("acme", (folder / "artifacts").as_uri()))


if __name__ == "__main__":
    main()
