"""Data by role: where they are found, what is hashed, and everything that is refused."""

# ruff: noqa: PD011  # `.values` are those of Cells, not of pandas

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError, MissingColumnError, SourceError
from aims_gate.facts import DigestKind
from aims_gate.frames import Key
from aims_gate.frames.opening import open_frame
from aims_gate.policy.model import DataSpec, Policy, Role, TaskKind
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder
from aims_gate.sources.roles import write_roles
from aims_gate.sources.subject import Data, Located, Workspace

WHEN = datetime(2026, 10, 1, tzinfo=UTC)
ROWS = b"y,p,sex\n1,0.9,F\n0,0.5,M\n1,,M\n"
EVALUATION = Role.EVALUATION


@dataclass
class Artifacts:
    """A run's artifacts, as a source would find them."""

    folder: Path
    asked: list[tuple[str, Role]] = field(default_factory=list)

    def __call__(self, path: str, *, role: Role) -> Located | None:
        self.asked.append((path, role))
        if path.startswith("down"):
            raise SourceError("the server does not answer", where="http://localhost")
        found = self.folder / path
        uri = f"mlflow-artifacts://me:secret@host/1/{path}?token=secret"
        there = found.exists()
        return Located(path=found, uri=uri, created=WHEN, mlflow_digest="ab") if there else None


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    folder = tmp_path / "artifacts"
    (folder / "aims_gate").mkdir(parents=True)
    return Artifacts(folder)


def policy(folder: str = "", /, **data: DataSpec) -> Policy:
    specs = {Role(name): spec for name, spec in data.items()}
    return Policy(id="p", version="1.0.0", data=specs, folder=folder)


def opened(
    found: Policy, artifacts: Artifacts, given: Mapping[Role, object] | None = None
) -> tuple[Mapping[Role, Data], Mapping[Role, DataError]]:
    workspace = Workspace(folder=artifacts.folder)
    return open_data(given or {}, Finder(policy=found, locate=artifacts, workspace=workspace))


def refused(found: Policy, artifacts: Artifacts, role: Role = EVALUATION, **given: object) -> str:
    """The reason why a role cannot be used; it is then in no other answer."""
    data, unread = opened(found, artifacts, {Role(name): value for name, value in given.items()})
    assert role not in data
    return str(unread[role])


def test_what_the_runs_author_stated_is_told_from_what_the_policy_did(artifacts: Artifacts) -> None:
    table = pa.table({"y": [0, 1], "q": [0, 0], "sex": ["F", "M"], "n": [1, 2]})
    logged = DataSpec(label="y", prediction="q", sensitive={"sex": None}, weight="n")
    parquet.write_table(
        write_roles(table, logged), artifacts.folder / "aims_gate" / "evaluation.parquet"
    )
    data, _ = opened(policy(evaluation=DataSpec(label="y")), artifacts)
    assert data[EVALUATION].from_run == {"prediction", "sensitive", "weight"}
    assert data[EVALUATION].declared == {"y"}


def test_without_a_word_the_convention_is_read_with_its_logged_roles(artifacts: Artifacts) -> None:
    table = write_roles(pa.table({"y": [0, 1], "q": [0, 0]}), DataSpec(label="y", prediction="q"))
    path = artifacts.folder / "aims_gate" / "evaluation.parquet"
    parquet.write_table(table, path)
    data, unread = opened(policy(), artifacts)
    assert (list(data), dict(unread)) == ([EVALUATION], {})
    found = data[EVALUATION]
    assert (found.spec.label, found.spec.prediction, found.created) == ("y", "q", WHEN)
    assert found.identity.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.identity.digest_kind is DigestKind.FILE
    assert (found.identity.rows, found.identity.mlflow_digest) == (2, "ab")
    assert found.identity.uri == "mlflow-artifacts://host/1/aims_gate/evaluation.parquet"
    assert [path for path, _role in artifacts.asked] == [
        "aims_gate/evaluation.parquet",
        "aims_gate/reference.parquet",
        "aims_gate/current.parquet",
        "aims_gate/perturbed.parquet",
    ]


def test_data_that_nobody_names_are_in_neither_answer_and_those_named_are_unread(
    artifacts: Artifacts,
) -> None:
    specs = {"evaluation": DataSpec(source="artifact:no.csv"), "champion": DataSpec(key="id")}
    data, unread = opened(policy(**specs), artifacts)
    assert (data, list(unread)) == ({}, [EVALUATION])
    assert "no such artifact" in str(unread[EVALUATION])
    current = policy(str(artifacts.folder), current=DataSpec(source="file:no.csv"))
    assert "the file is not there" in str(opened(current, artifacts)[1][Role.CURRENT])


def test_what_the_caller_gives_wins_over_the_policys_source(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    (tmp_path / "given rows.csv").write_bytes(ROWS)
    named = policy(evaluation=DataSpec(source="artifact:other.csv", label="y"))
    plain = str(tmp_path / "given rows.csv")
    for text in (plain, f"file:{plain}", Path(plain).as_uri(), Path(plain)):
        data, unread = opened(named, artifacts, {EVALUATION: text})
        assert not unread
        assert data[EVALUATION].spec.label == "y"
        assert data[EVALUATION].identity.uri == "file:given%20rows.csv"
    (artifacts.folder / "mine.csv").write_bytes(ROWS)
    data, _ = opened(named, artifacts, {EVALUATION: "artifact:mine.csv"})
    assert data[EVALUATION].identity.name == "mine.csv"


def test_the_policys_own_file_is_read_from_its_folder(artifacts: Artifacts, tmp_path: Path) -> None:
    home = tmp_path / "policy"
    (home / "data").mkdir(parents=True)
    (home / "data" / "rows.csv").write_bytes(ROWS)
    data, unread = opened(
        policy(str(home), current=DataSpec(source="file:data/rows.csv")), artifacts
    )
    assert not unread
    assert data[Role.CURRENT].identity.uri == "file:data/rows.csv"
    assert data[Role.CURRENT].created is None


def test_no_path_leads_out_of_the_policys_folder(artifacts: Artifacts, tmp_path: Path) -> None:
    home, outside = tmp_path / "policy", tmp_path / "outside.csv"
    home.mkdir()
    outside.write_bytes(ROWS)
    (home / "link.csv").symlink_to(outside)
    (home / "folder").symlink_to(tmp_path)
    (home / "loop.csv").symlink_to(home / "loop.csv")
    for source in (
        "file:../outside.csv",
        f"file:{outside}",
        outside.as_uri(),
        "file:link.csv",
        "file:folder/outside.csv",
        "file:x/../../outside.csv",
    ):
        named = policy(str(home), evaluation=DataSpec(source=source))
        assert "out of the policy's folder" in refused(named, artifacts), source
    for source in ("file:loop.csv", "file:nul\0.csv", "file://elsewhere/rows.csv"):
        assert refused(policy(str(home), evaluation=DataSpec(source=source)), artifacts)
    pack = policy(evaluation=DataSpec(source="file:rows.csv"))
    assert "no folder" in refused(pack, artifacts)


def test_artifact_paths_cannot_climb(artifacts: Artifacts) -> None:
    for path in ("../rows.csv", "/etc/passwd", "a/../../b.csv", "", "a\\b.csv", "%2e%2e/rows.csv"):
        assert "unsafe file name" in refused(
            policy(evaluation=DataSpec(source=f"artifact:{path}")), artifacts
        )
    assert all(not path.startswith(("..", "/")) for path, _role in artifacts.asked)


@pytest.mark.parametrize("source", ["https://me:pw@host/r?sig=s", "ftp://host/rows.csv", "rows"])
def test_other_sources_say_what_is_read_and_show_no_secret(
    artifacts: Artifacts, source: str
) -> None:
    message = refused(policy(evaluation=DataSpec(source=source)), artifacts)
    assert (
        "artifact:, file:, dataset:, context:, assessments:, s3://, gs:// and abfss:// are read"
        in message
    )
    assert "pw" not in message
    assert "sig" not in message
    if "://" in source:
        told = refused(policy(), artifacts, evaluation=source)
        assert "are read, and table:CONNECTION/NAME of an engine" in told


def test_what_was_named_and_cannot_be_read_is_unread_and_not_lost(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    (artifacts.folder / "bad.csv").write_bytes(b"a,b\n1\n")
    (artifacts.folder / "folder.csv").mkdir()
    for source in ("artifact:bad.csv", "artifact:folder.csv", "artifact:down.csv"):
        assert refused(policy(evaluation=DataSpec(source=source)), artifacts)
    assert "does not answer" in refused(
        policy(evaluation=DataSpec(source="artifact:down.csv")), artifacts
    )
    for given in (str(tmp_path / "no.csv"), tmp_path, 3, [1], {"a": [1, "two"]}):
        assert refused(policy(), artifacts, evaluation=given)


def test_other_bytes_than_the_policy_names_are_refused(artifacts: Artifacts) -> None:
    (artifacts.folder / "rows.csv").write_bytes(ROWS)
    digest = hashlib.sha256(ROWS).hexdigest()
    source = "artifact:rows.csv"
    data, _ = opened(policy(evaluation=DataSpec(source=source, sha256=digest.upper())), artifacts)
    assert data[EVALUATION].identity.digest == digest
    wrong = policy(evaluation=DataSpec(source=source, sha256="0" * 64))
    assert f"but these have {digest}" in refused(wrong, artifacts)
    frame = {"y": [1, 0]}
    rows = open_frame(frame).digest()
    named = policy(evaluation=DataSpec(sha256=rows))
    assert EVALUATION in opened(named, artifacts, {EVALUATION: frame})[0]
    assert "rows-v1" in refused(named, artifacts, evaluation={"y": [1, 1]})


def test_bytes_that_change_after_reading_are_seen(artifacts: Artifacts) -> None:
    path = artifacts.folder / "rows.csv"
    path.write_bytes(ROWS)
    found = opened(policy(evaluation=DataSpec(source="artifact:rows.csv")), artifacts)[0][
        EVALUATION
    ]
    assert found.read_twice is not None
    assert found.read_twice() == found.identity.digest
    path.write_bytes(ROWS + b"0,0.1,F\n")
    assert found.read_twice() != found.identity.digest
    path.unlink()
    with pytest.raises(SourceError, match="again"):
        found.read_twice()


def test_frames_in_memory_are_named_by_their_rows(artifacts: Artifacts) -> None:
    columns = {"y": [1, 0, 1], "n": [2, 0, 3]}
    for given in (columns, pd.DataFrame(columns), pa.table(columns), open_frame(columns)):
        data, _ = opened(policy(evaluation=DataSpec(weight="n")), artifacts, {EVALUATION: given})
        identity = data[EVALUATION].identity
        assert (identity.digest_kind, identity.uri) == (DigestKind.ROWS, "memory:evaluation")
        assert (identity.digest, identity.rows) == (open_frame(columns).digest(), 5)
        assert data[EVALUATION].read_twice is None


def test_a_weight_that_is_not_there_makes_the_role_unread(artifacts: Artifacts) -> None:
    named = policy(evaluation=DataSpec(weight="n"))
    _, unread = opened(named, artifacts, {EVALUATION: {"y": [1]}})
    assert isinstance(unread[EVALUATION], MissingColumnError)


def test_hostile_logged_roles_make_the_role_unread(artifacts: Artifacts) -> None:
    table = pa.table({"y": [1]}).replace_schema_metadata({b"aims_gate.roles": b'{"min_rows":0}'})
    assert "unknown key 'min_rows'" in refused(policy(), artifacts, evaluation=table)


def derived(columns: object, artifacts: Artifacts, **spec: Any) -> Data:
    data, unread = opened(policy(evaluation=DataSpec(**spec)), artifacts, {EVALUATION: columns})
    assert not unread
    return data[EVALUATION]


@pytest.mark.parametrize(
    ("labels", "positive", "low", "high"),
    [
        ([0, 1, 1], None, 0, 1),
        ([0, 1, 1], 0, 1, 0),
        ([0.0, 1.0, None], 1, 0.0, 1.0),
        ([False, True, True], None, False, True),
        (["no", "yes", None], "yes", "no", "yes"),
        (["no", "no", "no"], "yes", "no", "yes"),
        ([1, 1, 1], None, 0, 1),
        ([2, 1, 2], 2, 1, 2),
    ],
)
def test_a_score_at_the_threshold_predicts_the_positive_class(
    artifacts: Artifacts, labels: list[Any], positive: Any, low: Any, high: Any
) -> None:
    columns = {"y": labels * 2, "p": [0.1, 0.8, 0.79, 0.9, None, float("nan")]}
    spec = {"label": "y", "score": "p", "threshold": 0.8, "positive": positive}
    found = derived(columns, artifacts, **spec)
    name = "prediction (p >= 0.8)"
    assert found.spec.prediction == name
    cells = found.frame.count(Key(column="p"), Key(column=name)).values
    assert set(cells) == {(0.1, low), (0.79, low), (0.8, high), (0.9, high), (None, None)}
    assert {type(value) for _p, value in cells if value is not None} == {type(low)}
    assert found.identity.digest == open_frame(columns).digest()


@pytest.mark.parametrize(
    "spec",
    [
        {"label": "y", "score": {"a": "p"}},
        {"label": "y", "score": "text"},
        {"label": "y", "score": "nowhere"},
        {"score": "p"},
        {"label": "nowhere", "score": "p"},
        {"label": "y", "score": "p", "task": TaskKind.REGRESSION},
        {"label": "y", "score": "p", "task": TaskKind.MULTICLASS},
        {"label": "three", "score": "p", "positive": 1},
        {"label": "text", "score": "p"},
        {"label": "y", "score": "p", "positive": "1"},
        {"label": "y", "score": "p", "positive": 7},
        {"label": "text", "score": "p", "positive": 1},
        {"label": "same", "score": "p", "positive": "x"},
        {"label": "nothing", "score": "p"},
        {"label": "zeros", "score": "p", "positive": 1.5},
    ],
)
def test_nothing_is_guessed_where_the_classes_are_not_certain(
    artifacts: Artifacts, spec: dict[str, Any]
) -> None:
    columns = {
        "y": [0, 1, 0],
        "three": [1, 2, 3],
        "text": ["a", "b", "a"],
        "same": ["x", "x", "x"],
        "zeros": [0, 0, 0],
        "nothing": pa.nulls(3),
        "p": [0.1, 0.9, 0.5],
    }
    found = derived(columns, artifacts, **spec)
    assert found.spec.prediction == spec.get("prediction")
    assert list(found.frame.columns) == list(columns)


def test_an_author_cannot_slip_in_the_derived_prediction(artifacts: Artifacts) -> None:
    columns = {"y": [0, 1], "p": [0.9, 0.1], "prediction (p >= 0.5)": [0, 1]}
    named = policy(evaluation=DataSpec(label="y", score="p"))
    assert "already" in refused(named, artifacts, evaluation=columns)


@pytest.mark.parametrize(
    "spec",
    [
        {"label": "y", "prediction": "y"},
        {"label": "y", "score": "y"},
        {"label": "y", "score": {"a": "p", "b": "y"}},
        {"label": "y", "weight": "y"},
    ],
)
def test_labels_that_are_the_models_answer_too_are_refused(spec: dict[str, Any]) -> None:
    """Every statistic of them would be perfect."""
    policy = Policy(id="p", version="1", data={Role.EVALUATION: DataSpec(**spec)})
    given = {Role.EVALUATION: {"y": [0, 1, 1], "p": [0.1, 0.9, 0.5]}}
    finder = Finder(policy=policy, locate=nowhere, workspace=Workspace(folder=Path()))
    data, unread = open_data(given, finder)
    assert not data
    assert "is named both as label and as" in str(unread[Role.EVALUATION])


def nowhere(path: str, *, role: Role) -> Located | None:
    """Find no artifact."""
    return None


@pytest.mark.parametrize("uri", ["runs:/abc/aims_gate/evaluation.parquet", "models:/credit/1"])
def test_data_in_mlflow_beside_a_folder_need_its_address(uri: str, artifacts: Artifacts) -> None:
    assert "MLFLOW_TRACKING_URI is not set; set it to" in refused(
        policy(), artifacts, evaluation=uri
    )


def test_scores_beside_a_folder_are_those_of_a_run_that_is_named(artifacts: Artifacts) -> None:
    told = refused(policy(), artifacts, evaluation="assessments:exact")
    assert "hand over runs:/RUN_ID/assessments:SCORER" in told
