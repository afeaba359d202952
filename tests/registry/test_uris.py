from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest.resource import parse as parse_resource
from aims_gate.errors import UsageError
from aims_gate.registry.uris import (
    AliasTarget,
    ModelTarget,
    RunTarget,
    Target,
    VersionTarget,
    bare,
    parse,
    printable,
    resource_uri,
)
from tests.support.laws import law


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("models:/cr/3", VersionTarget(name="cr", version="3")),
        ("models:/main.ml.credit risk/12", VersionTarget(name="main.ml.credit risk", version="12")),
        ("models:/cr@champion", AliasTarget(name="cr", alias="champion")),
        ("models:/m-0a1b", ModelTarget(model_id="m-0a1b")),
        ("runs:/0a1b", RunTarget(run_id="0a1b")),
        ("runs:/0a1b/models/best", RunTarget(run_id="0a1b", path="models/best")),
    ],
)
def test_each_form_is_read(uri: str, target: Target) -> None:
    assert parse(uri) == target


@pytest.mark.parametrize(
    "uri",
    [
        "models:/cr",
        "models:/cr/",
        "models:/cr/0",
        "models:/cr/03",
        "models:/cr/-1",
        "models:/cr/1/2",
        "models:/cr/1?x=1",
        "models:/cr/1#x",
        "models:/cr/\N{ARABIC-INDIC DIGIT ONE}",
        "models://profile@databricks/cr/1",
        "models:/../etc/1",
        "models:/./1",
        "models:/%2e%2e/1",
        "models:/cr\n/1",
        "models:/cr\x00/1",
        "models:/cr\u202e/1",
        "models:/cr\\x/1",
        "models:/cr /1",
        "models:/:cr/1",
        "models:/cr@",
        "models:/@champion",
        "models:/cr@v1",
        "models:/cr@latest",
        "models:/cr@a/b",
        "models:/m-",
        "models:/m-1/2/3",
        "runs:/",
        "runs:/../x",
        "runs:/0a/",
        "runs:/0a/../x",
        "runs:/0a//etc/passwd",
        "runs:/0a/%2e%2e/x",
        "runs:/0a/a\\b",
        "model:/cr/1",
        "models:cr/1",
        "/etc/passwd",
        "",
    ],
)
def test_anything_else_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="not a model URI"):
        parse(uri)


@pytest.mark.parametrize("uri", ["models:/cr/latest", "models:/cr/Production", "models:/cr@latest"])
def test_a_moving_target_is_refused_and_says_why(uri: str) -> None:
    with pytest.raises(UsageError, match="may mean another version tomorrow"):
        parse(uri)


@given(st.text(max_size=40))
@law(300)
def test_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    for uri in (text, f"models:/{text}", f"runs:/{text}"):
        try:
            parse(uri)
        except UsageError:
            continue
        assert ".." not in uri.split("/")


def test_a_resource_uri_names_server_model_and_version_and_is_read_back() -> None:
    uri = resource_uri("credit risk", "7", "https://mlflow.acme.example/base")
    assert uri == (
        "pkg:mlflow/credit%20risk@7?repository_url=https%3A%2F%2Fmlflow.acme.example%2Fbase"
    )
    resource = parse_resource(uri, servers={}, where="test")
    assert (resource.kind, resource.name, resource.version) == ("mlflow", "credit risk", "7")
    assert resource.server == "https://mlflow.acme.example/base"


@given(
    name=st.text(min_size=1, max_size=20),
    version=st.text(min_size=1, max_size=10),
)
@law(200)
def test_no_name_can_break_out_of_a_resource_uri(name: str, version: str) -> None:
    uri = resource_uri(
        name.encode("utf-8", "replace").decode(), version.encode("utf-8", "replace").decode(), "s"
    )
    assert uri.count("?repository_url=") == 1
    assert uri.count("/") == 1
    assert uri.count("@") == 1
    assert uri.isascii()
    assert uri.isprintable()


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://u:p@h.example:5000/base/?token=t#x", "https://h.example:5000/base"),
        ("https://u:p%40@h", "https://h"),
        ("https://a@b:c@h/x", "https://h/x"),
        ("postgresql://u:p@db/mlflow", "postgresql://db/mlflow"),
        ("mlflow-artifacts:/1/x", "mlflow-artifacts:/1/x"),
        ("s3://bucket/a", "s3://bucket/a"),
    ],
)
def test_user_password_and_query_are_never_shown(uri: str, shown: str) -> None:
    assert bare(uri) == shown


def test_what_a_server_says_cannot_write_lines_or_escapes() -> None:
    assert printable("a\n::error::b\x1b[31m\u202ec") == "a ::error::b?[31m?c"
    assert len(printable("x" * 10_000)) == 300
