"""The champion by its alias, on a server over REST and in a sqlite store through the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.checks.contract import Inputs
from aims_gate.checks.performance.champion import Champion
from aims_gate.engines.native import ENGINE
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.roles import write_roles
from aims_gate.sources.subject import Subject, Workspace
from tests.checks.subjects import NOW
from tests.conftest import Store
from tests.support.registry_content import Content, Logged

ROLES = DataSpec(label="y", prediction="yhat", positive=1, key="id")
POLICY = Policy(id="p", version="1.0.0")


@pytest.fixture(params=["rest", "sqlite"])
def content(request: pytest.FixtureRequest) -> Content:
    """A store, read over REST or through MLflow's client."""
    if request.param == "sqlite":
        store: Store = request.getfixturevalue("mlflow_store")
        return Content(uri=store.uri)
    return Content(uri=request.getfixturevalue("mlflow_server"))


Open = Callable[..., Subject]


@pytest.fixture
def opened(content: Content, tmp_path: Path) -> Open:
    """Open a model whose champion is looked for under an alias."""

    def open_(
        uri: str,
        alias: str = "champion",
        given: Mapping[Role, Any] | None = None,
        policy: Policy = POLICY,
    ) -> Subject:
        workspace = Workspace(
            folder=tmp_path, alias=alias, environ={"MLFLOW_TRACKING_URI": content.uri}
        )
        return SOURCE.open(uri, policy=policy, given=given or {}, workspace=workspace)

    return open_


def table(seed: int, wrong: int, rows: int = 400) -> pa.Table:
    """The same rows in an order of their own, *wrong* of them answered wrong."""
    ids = np.arange(rows)
    y = ids % 2
    yhat = np.where(ids < wrong, 1 - y, y)
    order = np.random.default_rng(seed).permutation(rows)
    columns = {"id": ids[order], "y": y[order], "yhat": yhat[order]}
    return write_roles(pa.table(columns), ROLES)


def evaluated(content: Content, name: str, logged: pa.Table | None, folder: Path) -> Logged:
    """A version whose run logged its evaluation."""
    run_id = content.run()
    model_id = content.model(run_id)
    version = content.version(name, f"models:/{model_id}", run_id)
    if logged is not None:
        path = folder / "evaluation.parquet"
        parquet.write_table(logged, path)
        content.client.log_artifact(run_id, str(path), "aims_gate")
    return Logged(name=name, version=version, run_id=run_id, model_id=model_id)


@pytest.fixture
def versions(content: Content, tmp_path: Path) -> tuple[Logged, Logged]:
    """The champion, version 1 with 40 errors, and a candidate with 30, in other orders of rows."""
    name = f"credit-{tmp_path.name}-{content.uri[:6].strip(':/')}"
    old = evaluated(content, name, table(1, 40), tmp_path)
    new = evaluated(content, name, table(2, 30), tmp_path)
    content.client.set_registered_model_alias(name, "champion", old.version)
    return old, new


def measured(subject: Subject, **parameters: Any) -> Any:
    check = Champion(metric="accuracy", alias="champion", **parameters)
    asked = Inputs(subject=subject, engine=ENGINE, alpha=0.05, alpha_alone=0.05, now=NOW)
    (cell,) = [s for s in check.measure(asked) if s.judged]
    return cell


def test_the_champions_own_run_says_what_it_answered(
    versions: tuple[Logged, Logged], opened: Open
) -> None:
    old, new = versions
    subject = opened(new.uri)
    assert subject.champion is not None
    assert subject.champion.uri == old.uri
    assert not subject.champion.is_candidate
    data = subject.data[Role.CHAMPION]
    assert data.identity.uri == f"runs:/{old.run_id}/aims_gate/evaluation.parquet"
    assert data.identity.role == Role.CHAMPION
    assert data.identity.digest != subject.data[Role.EVALUATION].identity.digest
    assert measured(subject).value == pytest.approx(10 / 400)


def test_the_alias_is_followed_when_it_moves(
    versions: tuple[Logged, Logged], opened: Open, content: Content
) -> None:
    old, new = versions
    content.client.set_registered_model_alias(new.name, "champion", new.version)
    itself = opened(new.uri)
    assert itself.champion is not None
    assert itself.champion.is_candidate
    assert Role.CHAMPION not in itself.data
    assert measured(itself).value == 0
    assert measured(opened(old.uri)).value == pytest.approx(-10 / 400)


def test_another_version_of_the_same_files_is_the_candidate_itself(
    versions: tuple[Logged, Logged], opened: Open, content: Content
) -> None:
    old, _ = versions
    again = content.version(old.name, f"models:/{old.model_id}", old.run_id)
    subject = opened(f"models:/{old.name}/{again}")
    assert subject.champion is not None
    assert subject.champion.is_candidate


def test_an_alias_that_is_not_there_is_told_from_nobody_to_ask(
    versions: tuple[Logged, Logged], opened: Open
) -> None:
    _, new = versions
    none = opened(new.uri, alias="shadow").champion
    assert none is not None
    assert (none.uri, none.alias) == ("", f"{new.name}@shadow")
    assert opened(f"models:/{new.model_id}").champion is None, "no version of a registered model"
    assert opened(new.uri, alias="nobody@champion").champion is None
    assert opened(new.uri, alias="").champion is None
    named = opened(f"models:/{new.model_id}", alias=f"{new.name}@champion").champion
    assert named is not None
    assert named.uri == f"models:/{new.name}/1"


def test_a_champion_that_logged_nothing_or_other_rows_is_no_pass(
    versions: tuple[Logged, Logged], opened: Open, content: Content, tmp_path: Path
) -> None:
    _, new = versions
    silent = evaluated(content, new.name, None, tmp_path)
    content.client.set_registered_model_alias(new.name, "champion", silent.version)
    subject = opened(new.uri)
    assert Role.CHAMPION not in {*subject.data, *subject.unread}
    other = evaluated(content, new.name, table(3, 10, rows=401), tmp_path)
    content.client.set_registered_model_alias(new.name, "champion", other.version)
    with pytest.raises(Exception, match="not there"):
        measured(opened(new.uri))


def test_a_champion_that_cannot_be_read_is_an_error_and_not_none(
    versions: tuple[Logged, Logged], opened: Open, content: Content, tmp_path: Path
) -> None:
    _, new = versions
    broken = evaluated(content, new.name, None, tmp_path)
    content.artifact(broken.run_id, "aims_gate/evaluation.parquet", b"PAR1 not really")
    content.client.set_registered_model_alias(new.name, "champion", broken.version)
    assert Role.CHAMPION in opened(new.uri).unread
    stolen = content.version(new.name, f"models:/{new.model_id}", content.run())
    content.client.set_registered_model_alias(new.name, "champion", stolen)
    subject = opened(new.uri)
    assert Role.CHAMPION in subject.unread


def test_data_that_are_handed_over_or_named_by_the_policy_win(
    versions: tuple[Logged, Logged], opened: Open
) -> None:
    _, new = versions
    handed = {"id": np.arange(400), "yhat": 1 - np.arange(400) % 2}
    policy = replace(POLICY, data={Role.CHAMPION: DataSpec(key="id", prediction="yhat")})
    subject = opened(new.uri, given={Role.CHAMPION: handed}, policy=policy)
    assert subject.data[Role.CHAMPION].identity.uri == "memory:champion"
    assert measured(subject).value == pytest.approx(370 / 400)


def test_a_label_that_only_the_candidates_data_have_is_not_asked_of_the_champions(
    versions: tuple[Logged, Logged], opened: Open, content: Content, tmp_path: Path
) -> None:
    """What the policy says of the evaluation data is assumed of the champion's, not stated."""
    _, new = versions
    bare = replace(ROLES, label=None, positive=None)
    answers = write_roles(table(1, 40).drop_columns(["y"]).replace_schema_metadata(None), bare)
    old = evaluated(content, new.name, answers, tmp_path)
    content.client.set_registered_model_alias(new.name, "champion", old.version)
    stated = replace(POLICY, data={Role.EVALUATION: ROLES})
    subject = opened(new.uri, policy=stated)
    assert subject.data[Role.CHAMPION].spec.label is None
    assert measured(subject).value == pytest.approx(10 / 400)
    named = replace(POLICY, data={Role.EVALUATION: ROLES, Role.CHAMPION: ROLES})
    assert opened(new.uri, policy=named).data[Role.CHAMPION].spec.label == "y"
