"""Every way to sign with a key in this process is held to one contract; the others in attest."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from aims_gate.attest import keys
from aims_gate.attest.envelope import open_envelope, sign
from aims_gate.attest.keys import PASSWORD_VARIABLE, Scheme
from aims_gate.attest.signers import KEY_VARIABLE, SIGNERS, Signer, load_signer
from aims_gate.errors import UsageError


def _reference(name: str, path: Path) -> tuple[str, Mapping[str, str]]:
    """Say how each way is named, with the environment that it needs."""
    ways = {
        "file": (str(path), {}),
        "env": ("SOME_KEY", {"SOME_KEY": path.read_text(encoding="utf-8")}),
    }
    return ways[name]


@pytest.fixture(params=["file", "env"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("scheme", Scheme)
def test_signatures_verify_with_the_signers_own_key(
    way: str, scheme: Scheme, tmp_path: Path
) -> None:
    """Over any bytes, none included; and the envelope opens."""
    public = keys.generate(tmp_path / "k", password=None, scheme=scheme)
    reference, environ = _reference(way, tmp_path / "k")
    signer: Signer = SIGNERS[way](reference, environ=environ)
    assert signer.key == public
    for payload in (b"", b"\x00\xff", b"x" * 100_000):
        assert public.verifies(signer.sign(payload), payload)
    assert open_envelope(sign(b"{}", signer), [public]).key == public


def test_the_password_comes_from_the_environment_it_was_given(way: str, tmp_path: Path) -> None:
    """With the right one it opens; without it, UsageError."""
    public = keys.generate(tmp_path / "k", password="pw")
    reference, environ = _reference(way, tmp_path / "k")
    with pytest.raises(UsageError, match="is encrypted"):
        SIGNERS[way](reference, environ=environ)
    opened = SIGNERS[way](reference, environ={**environ, PASSWORD_VARIABLE: "pw"})
    assert opened.key == public


def test_what_is_not_there_cannot_sign(way: str) -> None:
    """A missing file, an unset and an empty variable: UsageError, never another key."""
    for reference in ("", "NOT_THERE", "a\x00b"):
        with pytest.raises(UsageError):
            SIGNERS[way](reference, environ={"": " "})


def test_the_private_half_is_not_in_its_text(way: str, tmp_path: Path) -> None:
    """Logs and tracebacks show the public half only."""
    keys.generate(tmp_path / "k", password=None)
    reference, environ = _reference(way, tmp_path / "k")
    assert "rivate" not in repr(SIGNERS[way](reference, environ=environ))


def test_load_signer_reads_references(tmp_path: Path) -> None:
    """A bare path, a scheme, and the standard variable where nothing is named."""
    public = keys.generate(tmp_path / "k", password=None)
    environ = {KEY_VARIABLE: (tmp_path / "k").read_text(encoding="utf-8")}
    path = str(tmp_path / "k")
    for uri, given in ((path, {}), (f"file:{path}", {}), (f"env:{KEY_VARIABLE}", environ)):
        assert load_signer(uri, given).key == public
    assert load_signer(None, environ).key == public


@pytest.mark.parametrize("environ", [{}, {KEY_VARIABLE: ""}, {KEY_VARIABLE: " \n"}])
def test_without_any_key_nothing_is_signed(environ: Mapping[str, str]) -> None:
    """As in the pull request of a fork, where the secret is empty."""
    with pytest.raises(UsageError, match="no key to sign"):
        load_signer(None, environ)


def test_unknown_schemes_are_refused() -> None:
    """They are no file names: a KMS that is not supported must not look like a missing file."""
    with pytest.raises(UsageError, match="unknown kind of signing key 'gpg'"):
        load_signer("gpg:0xabc", {})


def test_a_key_in_the_place_of_its_name_is_never_shown(tmp_path: Path) -> None:
    """`--key "$KEY"`: an error that names the file would print the key into a log."""
    keys.generate(tmp_path / "k", password=None)
    text = (tmp_path / "k").read_text(encoding="utf-8")
    wrapped = base64.b64encode(text.encode()).decode()
    secret = text.splitlines()[1]
    for uri in (text, text.replace("\n", " "), f"env:{text}", f"file:{text}", wrapped):
        with pytest.raises(UsageError, match="the private key itself") as caught:
            load_signer(uri, {})
        assert secret not in str(caught.value)
        assert wrapped not in str(caught.value)
