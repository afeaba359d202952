"""Object stores: read from a real S3-speaking server on this machine, and what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import fs, parquet

from aims_gate.documents.store_uris import parse_place
from aims_gate.errors import DataError, GateError, SourceError
from aims_gate.facts import DigestKind
from aims_gate.policy.model import JoinSpec, Policy
from aims_gate.registry.entities import DatasetInput
from aims_gate.sources.locate import Finder
from aims_gate.sources.remote import fetch
from tests.sources.stores import EVALUATION, ROWS, nowhere, opened, workspace
from tests.support.proxy import Answer, Proxy
from tests.support.servers import S3_KEYS, free_port


@pytest.fixture(scope="module")
def bucket(s3_url: str) -> Iterator[dict[str, str]]:
    """The environment of a job that may read the bucket `ml-data`, which holds a few objects."""
    environ = {**S3_KEYS, "AWS_ENDPOINT_URL": s3_url, "AWS_REGION": "eu-west-1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        system = fs.S3FileSystem(
            endpoint_override=s3_url.removeprefix("http://"),
            scheme="http",
            region="eu-west-1",
            allow_bucket_creation=True,
        )
        system.create_dir("ml-data")
        for key, content in (
            ("ml-data/eval/rows.csv", ROWS),
            ("ml-data/eval/sex.csv", b"id,sex\n3,F\n1,M\n2,F\n"),
            ("ml-data/secret/rows.csv", ROWS),
        ):
            with system.open_output_stream(key) as sink:
                sink.write(content)
        for year in (2025, 2026):
            table = pa.table({"y": [0, 1]})
            parquet.write_table(
                table, f"ml-data/eval/lake/year={year}/a.parquet", filesystem=system
            )
        yield environ


def test_a_caller_may_name_an_object_which_is_copied_hashed_and_read(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    data, told = opened(workspace(tmp_path, bucket), given="s3://ml-data/eval/rows.csv", label="y")
    assert (told, data is not None) == ("", True)
    assert data is not None
    assert data.identity.digest == hashlib.sha256(ROWS).hexdigest()
    assert data.identity.uri == "s3://ml-data/eval/rows.csv"
    assert (data.frame.rows, data.identity.digest_kind) == (3, DigestKind.FILE)
    assert data.created is not None
    assert data.read_twice is not None
    assert data.read_twice() == data.identity.digest


def test_a_folder_of_partitions_is_read_with_its_keys(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    data, _ = opened(workspace(tmp_path, bucket), given="s3://ml-data/eval/lake/")
    assert data is not None
    assert data.identity.digest_kind is DigestKind.TREE
    assert list(data.frame.columns) == ["y", "year"]
    assert data.frame.rows == 4


def test_a_policys_object_needs_the_allow_list(bucket: dict[str, str], tmp_path: Path) -> None:
    space = workspace(tmp_path, bucket)
    source = "s3://ml-data/eval/rows.csv"
    assert opened(space, source=source, allow=("s3://ml-data/eval/",))[0] is not None
    for allow in ((), ("s3://ml-data/eva",), ("s3://ml-data/secret/",), ("gs://ml-data/eval/",)):
        data, told = opened(space, source=source, allow=allow)
        assert data is None
        assert "sources.allow does not permit" in told


def test_columns_are_joined_over_stores_and_their_file_is_named(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_bytes(ROWS)
    joins = (JoinSpec(source="s3://ml-data/eval/sex.csv", on="id"),)
    given = str(tmp_path / "rows.csv")
    data, told = opened(
        workspace(tmp_path / "w", bucket), given=given, allow=("s3://ml-data/",), join=joins
    )
    assert told == ""
    assert data is not None
    assert list(data.frame.columns) == ["id", "y", "p", "sex"]
    (lent,) = data.joined
    assert (lent.identity.role, lent.identity.uri) == (
        "evaluation.join",
        "s3://ml-data/eval/sex.csv",
    )
    assert lent.read_twice() == lent.identity.digest
    missing = (JoinSpec(source="s3://ml-data/eval/no.csv", on="id"),)
    data, told = opened(
        workspace(tmp_path / "v", bucket), given=given, allow=("s3://ml-data/",), join=missing
    )
    assert data is None
    assert "no such object" in told


def claim(uri: object, digest: str = "d1", name: str = "eval", context: str = "") -> DatasetInput:
    import json

    source = uri if isinstance(uri, str) and uri.startswith("{") else json.dumps({"uri": uri})
    return DatasetInput(name=name, digest=digest, context=context, source=str(source))


def test_a_runs_data_set_is_read_where_allowed_and_its_digest_stands_beside_ours(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    inputs = (claim("s3://ml-data/eval/rows.csv", context="testing"), claim("/x", name="other"))
    for source in ("dataset:eval", "context:testing"):
        data, told = opened(
            workspace(tmp_path, bucket), source=source, allow=("s3://ml-data/eval",), inputs=inputs
        )
        assert told == ""
        assert data is not None
        assert data.identity.mlflow_digest == "d1"
        assert data.identity.digest == hashlib.sha256(ROWS).hexdigest()
    data, told = opened(workspace(tmp_path, bucket), source="dataset:nobody", inputs=inputs)
    assert data is None
    assert "names no data set with the name 'nobody'; there are eval, other" in told


HOSTILE = [
    "/etc/passwd",
    "file:///etc/passwd",
    "file:///srv/../etc/passwd",
    "s3://ml-data/secret/rows.csv",
    "s3://ml-data/eval/../secret/rows.csv",
    "s3://ml-data/eval/%2e%2e/secret/rows.csv",
    "s3://ml-data/eval/rows.csv?endpoint_override=HOST&scheme=http",
    "s3://k:s@ml-data/eval/rows.csv",
    "http://HOST/eval/rows.csv",
    "mlflow-artifacts://HOST/1/rows.csv",
    "data/rows.csv",
    "",
    ["s3://ml-data/eval/rows.csv"],
    '{"url": "http://HOST/rows.csv"}',
    '{"uri": "s3://ml-data/eval/rows.csv"',
    '{"tags": {}}',
]


@pytest.mark.parametrize("uri", HOSTILE, ids=str)
def test_a_crafted_run_reads_no_file_and_calls_no_host(
    bucket: dict[str, str], tmp_path: Path, uri: object
) -> None:
    with Proxy("http://127.0.0.1:9", lambda _n, _r: Answer(body=ROWS)) as inner:
        host = inner.url.removeprefix("http://")
        text = uri.replace("HOST", host) if isinstance(uri, str) else uri
        data, told = opened(
            workspace(tmp_path, bucket),
            source="dataset:eval",
            allow=("s3://ml-data/eval/", "file:///srv/eval/"),
            inputs=(claim(text),),
        )
        assert inner.seen == []
    assert data is None
    assert "the run" in told
    assert "root:" not in told


def test_two_inputs_of_one_name_are_an_error_unless_they_are_one(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    same = claim("s3://ml-data/eval/rows.csv")
    allow = ("s3://ml-data/eval/",)
    space = workspace(tmp_path, bucket)
    assert opened(space, source="dataset:eval", allow=allow, inputs=(same, same))[0] is not None
    for other in (
        claim("s3://ml-data/eval/rows.csv", digest="d2"),
        claim("s3://ml-data/eval/sex.csv"),
    ):
        data, told = opened(space, source="dataset:eval", allow=allow, inputs=(same, other))
        assert data is None
        assert "2 different inputs of this name" in told


def test_a_local_file_of_a_run_needs_its_folder_and_no_link_leads_out_of_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "eval"
    home.mkdir()
    (home / "rows 1.csv").write_bytes(ROWS)
    (tmp_path / "outside.csv").write_bytes(ROWS)
    (home / "link.csv").symlink_to(tmp_path / "outside.csv")
    allow = (home.as_uri(),)
    space = workspace(tmp_path / "w", {})
    asked: dict[str, Any] = {"source": "dataset:eval", "allow": allow}
    data, told = opened(space, inputs=(claim(str(home / "rows 1.csv")),), **asked)
    assert told == ""
    assert data is not None
    assert data.frame.rows == 3
    data, told = opened(space, inputs=(claim(str(home / "link.csv")),), **asked)
    assert data is None
    assert "a link leads out" in told
    data, told = opened(space, inputs=(claim(str(home / "no.csv")),), **asked)
    assert data is None
    assert "and nothing is there" in told


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("s3://ml-data/eval/no.csv", "no such object"),
        ("s3://no-such-bucket/rows.csv", "no such object|cannot read"),
        ("s3://ml-data/", "a whole bucket"),
        ("s3://ml-data/eval/%2e%2e/rows.csv", "normal form"),
        ("s3://ml-data/eval/rows.csv?endpoint_override=x", "normal form"),
    ],
)
def test_what_a_caller_names_and_is_not_there_is_unread(
    bucket: dict[str, str], tmp_path: Path, uri: str, told: str
) -> None:
    import re

    data, message = opened(workspace(tmp_path, bucket), given=uri)
    assert data is None
    assert re.search(told, message)


def test_limits_hold_for_all_files_together(bucket: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="more bytes than allowed"):
        fetch(
            parse_place("s3://ml-data/eval/rows.csv"),
            workspace(tmp_path / "a", bucket, max_bytes=len(ROWS) - 1),
        )
    with pytest.raises(SourceError, match="more than 1 files"):
        fetch(parse_place("s3://ml-data/eval/lake"), workspace(tmp_path / "b", bucket, max_files=1))


def test_a_server_that_is_not_there_is_an_error_without_the_credentials(
    bucket: dict[str, str], tmp_path: Path
) -> None:
    environ = {**bucket, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(SourceError, match="cannot read it") as caught:
        fetch(parse_place("s3://ml-data/eval/rows.csv"), workspace(tmp_path, environ))
    assert "testing-only" not in str(caught.value)


def test_an_endpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    environ = {"AWS_ENDPOINT_URL": "ftp://host", "AWS_REGION": "eu-west-1"}
    with pytest.raises(GateError, match="AWS_ENDPOINT_URL"):
        fetch(parse_place("s3://ml-data/eval/rows.csv"), workspace(tmp_path, environ))


def test_a_container_is_named_by_its_real_address(tmp_path: Path) -> None:
    """Azure's own URI has the container where a user's name would be, which evidence leaves out."""
    from aims_gate.sources.remote import _shown

    place = parse_place("abfss://eval@acc0unt.dfs.core.windows.net/a/x.csv")
    assert _shown(place) == "https://acc0unt.dfs.core.windows.net/eval/a/x.csv"
    space = workspace(tmp_path, {})
    finder = Finder(policy=Policy(id="p", version="1"), locate=nowhere, workspace=space)
    with pytest.raises(DataError, match="does not permit"):
        finder.source("abfss://eval@acc0unt.dfs.core.windows.net/a/x.csv", EVALUATION)
