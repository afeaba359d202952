"""URIs of places: nothing is repaired, and an allow-list cannot be climbed out of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.documents.store_uris import parse_allowed, parse_place, permitted
from aims_gate.policy.resolve import resolve
from tests.support.laws import law

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'
RULES = "rules: [{id: PERF-01, check: performance.score, require: {at_least: 0.8}}]\n"

ESCAPES = [
    "s3://data/eval/../secret/x.csv",
    "s3://data/eval/./x.csv",
    "s3://data/eval//x.csv",
    "s3://data/eval/%2e%2e/secret/x.csv",
    "s3://data/eval/%252e%252e/secret/x.csv",
    "s3://data/eval/%25252e%25252e/secret/x.csv",
    "s3://data/eval/..%2fsecret/x.csv",
    "s3://data/eval/a%5c..%5cx.csv",
    "s3://data/eval/x.csv?endpoint_override=inner.example:9000",
    "s3://data/eval/x.csv%3Fendpoint_override=inner.example",
    "s3://data/eval/x.csv#f",
    "s3://key:secret@data/eval/x.csv",
    "s3://data:9000/eval/x.csv",
    "s3://DATA/eval/x.csv",
    "S3://data/eval/x.csv",
    "s3:/data/eval/x.csv",
    "s3://data\\eval/x.csv",
    "s3://data/eval/x\n.csv",
    "s3://data/eval/%00x.csv",
    "s3://data/eval/%ff/x.csv",
    "s3://data/eval/*.csv",
    "s3://da..ta/eval/x.csv",
    "file://host/srv/eval/x.csv",
    "file:/srv/eval/x.csv",
    "file:///srv/eval/../../etc/passwd",
    "abfss://c@account.dfs.core.windows.net.evil.example/x.csv",
    "abfss://c@127.0.0.1/x.csv",
    "gs://data/../x.csv",
    "mlflow-artifacts://user:pw@host/1/x.csv",
    "http://169.254.169.254/latest/meta-data",
    "https://data/eval/x.csv",
    "hdfs://data/eval/x.csv",
    "data/eval/x.csv",
    "",
]


@pytest.mark.parametrize("uri", ESCAPES)
def test_what_is_not_in_its_normal_form_is_no_place(uri: str) -> None:
    with pytest.raises(ValueError, match=r"place|must look like|normal form"):
        parse_place(uri)


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("s3://data/eval/x.csv", True),
        ("s3://data/eval/day=2026-01-01/x%20y.parquet", True),
        ("s3://data/eval", True),
        ("s3://data/evaluation/x.csv", False),
        ("s3://data/x.csv", False),
        ("s3://data2/eval/x.csv", False),
        ("gs://data/eval/x.csv", False),
        ("file:///srv/eval/x.csv", True),
        ("file:///srv/evals/x.csv", False),
        ("file:///etc/passwd", False),
        ("abfss://in@acc0unt.dfs.core.windows.net/a/x.csv", True),
        ("abfss://out@acc0unt.dfs.core.windows.net/a/x.csv", False),
        ("abfss://in@other0.dfs.core.windows.net/a/x.csv", False),
        ("mlflow-artifacts:/1/2/x.csv", True),
        ("mlflow-artifacts://elsewhere/1/2/x.csv", False),
    ],
)
def test_a_prefix_ends_at_a_folder_and_covers_one_bucket(uri: str, allowed: bool) -> None:
    allow = (
        "s3://data/eval/",
        "file:///srv/eval",
        "abfss://in@acc0unt.dfs.core.windows.net/a",
        "mlflow-artifacts:",
    )
    assert permitted(parse_place(uri), allow) is allowed
    assert not permitted(parse_place(uri), ())


def test_no_entry_allows_the_whole_file_system() -> None:
    with pytest.raises(ValueError, match="every file"):
        parse_allowed("file:///")


@law(200)
@given(st.text(alphabet="ab./%2eE5cC\\?@:-", max_size=24))
def test_whatever_is_read_below_a_folder_decodes_to_a_path_below_it(tail: str) -> None:
    """The law that no spelling of a climb survives: every accepted part is a plain name."""
    try:
        place = parse_place(f"s3://data/eval/{tail}")
    except ValueError:
        return
    assert place.inside(parse_place("s3://data/eval"))
    assert parse_place(str(place)) == place
    assert not {"", ".", ".."} & set(place.path)
    assert not any(set("\\/?#") & set(part) for part in place.path)


def problems(text: str) -> list[str]:
    return [str(p) for p in resolve((HEAD + text + RULES).encode(), uri="p.yaml")[1]]


def test_a_store_that_the_allow_list_does_not_have_refuses_the_policy() -> None:
    source = "data: {current: {source: 's3://data/secret/x.csv'}}\n"
    told = problems("sources: {allow: ['s3://data/eval/']}\n" + source)
    (problem,) = told
    assert problem == (
        "p.yaml:5: data.current: sources.allow does not permit 's3://data/secret/x.csv'; "
        "name its folder in sources.allow"
    )
    assert problems("sources: {allow: ['s3://data/']}\n" + source) == []
    join = "data: {current: {join: [{source: 'gs://data/x.csv', 'on': id, columns: [id]}]}}\n"
    told = problems(join)
    assert len(told) == 2
    assert "does not permit 'gs://data/x.csv'" in told[1]
    assert "names its key 'id' among the columns" in told[0]


@pytest.mark.parametrize(
    ("parent", "child", "held"),
    [
        ("", "['s3://data/eval/']", True),
        ("['s3://data/eval/']", "", True),
        ("['s3://data/eval/']", "['s3://data/eval/new/']", True),
        ("['s3://data/eval/']", "[]", True),
        ("['s3://data/eval/']", "['s3://data/']", False),
        ("['s3://data/eval/']", "['s3://data/evaluation/']", False),
        ("['s3://data/eval/']", "['s3://data/eval/', 'file:///srv']", False),
        ("[]", "['s3://data/eval/']", False),
        ("['table://lake/main/']", "['table://lake/main/']", True),
        ("['table://lake/main/']", "['table://lake/main/other/']", False),
        ("['table://lake/main/']", "['table://other/main/']", False),
    ],
)
def test_a_child_reads_only_what_its_parent_permits(
    parent: str, child: str, held: bool, tmp_path: Path
) -> None:
    def text(name: str, allow: str) -> str:
        head = f'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {{id: {name}, version: "1"}}\n'
        return head + (f"sources: {{allow: {allow}}}\n" if allow else "")

    (tmp_path / "floor@1.yaml").write_text(text("floor", parent) + RULES)
    own = text("own", child) + "extends: [{pack: floor@1}]\n"
    policy, told = resolve(own.encode(), uri="p.yaml", packs=tmp_path)
    assert (not told) is held
    if not child:
        assert policy is not None
        assert policy.sources_allow == ("s3://data/eval/",)
    if told:
        assert "sources.allow" in str(told[0])
