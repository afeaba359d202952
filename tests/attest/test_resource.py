"""Evidence of one server and model does not pass for another, unless the trust file says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import resource
from aims_gate.attest.resource import Copy, Resource
from aims_gate.errors import GateError, TrustError
from tests.support.laws import law

SERVERS = {"https://mlflow.example": "prod", "prod": "prod", "http://dev:5000": "dev"}


def _read(text: str) -> Resource:
    return resource.parse(text, servers=SERVERS, where="x")


def test_package_urls_are_read() -> None:
    """Percent-encoding is undone, and a server's URL becomes its name in the trust file."""
    read = _read("pkg:mlflow/credit%20risk@7?repository_url=https%3A%2F%2FMLflow.example%3A443%2F")
    assert read == Resource(kind="mlflow", name="credit risk", version="7", server="prod")
    assert str(read) == "credit risk@7 on prod"
    assert str(_read("pkg:generic/model")) == "model"
    local = _read("pkg:mlflow/cr@1?run_id=5&repository_url=mlflow-local")
    assert local.server == "mlflow-local"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pkg:npm/x@1",
        "pkg:mlflow/cr@7",
        "pkg:mlflow/a/b@7?repository_url=x",
        "pkg:mlflow/cr@7?repository_url=x&repository_url=y",
        "pkg:generic/x?repository_url=x",
        "pkg:mlflow/cr@7?repository_url=x#frag",
        " pkg:generic/x",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """No server, two servers, another type, a path."""
    with pytest.raises(TrustError, match="not the package URL"):
        _read(text)


@pytest.mark.parametrize(
    ("url", "short"),
    [
        ("HTTPS://User:Pw@Host.example:443/a/", "https://host.example/a"),
        ("http://host:80", "http://host"),
        ("http://host:8080/", "http://host:8080"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("prod", "prod"),
        ("http://host:99999", "http://host:99999"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_urls_have_one_short_form(url: str, short: str) -> None:
    """Case, default ports, user information and a last slash do not make another server."""
    assert resource.short_url(url) == short


def test_places_must_be_equal_or_an_allowed_copy() -> None:
    """A copy is allowed by server and name in one direction; versions are numbered anew."""
    dev = _read("pkg:mlflow/cr@3?repository_url=http://dev:5000")
    prod = _read("pkg:mlflow/cr@1?repository_url=https://mlflow.example")
    copies = (Copy(source=("dev", "cr"), target=("prod", "cr")),)
    assert resource.stands_for(prod, prod, ())
    assert not resource.stands_for(dev, prod, ())
    assert resource.stands_for(dev, prod, copies)
    assert not resource.stands_for(prod, dev, copies)
    later = _read("pkg:mlflow/cr@2?repository_url=https://mlflow.example")
    assert not resource.stands_for(prod, later, copies)
    folder = _read("pkg:generic/cr")
    assert not resource.stands_for(
        dev, folder, (Copy(source=("dev", "cr"), target=("file:", "cr")),)
    )


@law()
@given(
    st.text(max_size=40) | st.text(max_size=30).map(lambda t: f"pkg:mlflow/a@1?repository_url={t}")
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another exception."""
    try:
        assert _read(text).kind in {"mlflow", "generic"}
    except GateError as error:
        assert isinstance(error, TrustError)  # noqa: PT017  # either is the fact
