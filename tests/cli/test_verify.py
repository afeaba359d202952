"""`aims-gate verify` and `aims-gate evidence key` as a user types them, exit codes included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.attest import keys
from tests.support.command_line import call, process
from tests.support.proofs import Lab, refused


def _lab(folder: Path, **changes: Any) -> Lab:
    """Evidence of five minutes ago, with its trust file."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    lab = Lab.make(folder, started=at, finished=at, **changes)
    entry = {"person": "gate", "public_key": lab.signer.key.pem, "roles": ["gate"]}
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry]}
    (folder / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    return lab


def test_the_whole_table_of_exit_codes(tmp_path: Path) -> None:
    """0 met, 1 authentic refusal, 2 usage, 4 not authentic; nothing else, of a process too."""
    _lab(tmp_path / "good")
    _lab(tmp_path / "bad", **refused())
    swapped = _lab(tmp_path / "swapped")
    (swapped.model / "MLmodel").write_text("evil", encoding="utf-8")
    unsigned = _lab(tmp_path / "unsigned", signed=False)
    assert unsigned.evidence.is_dir()
    cases: tuple[tuple[str, tuple[str, ...], int, str], ...] = (
        ("good", ("--model", "model"), 0, "policy met"),
        ("good", ("--signature-only",), 0, "NO bytes were looked at"),
        ("good", ("--model", "model", "--max-age", "1h"), 0, "policy met"),
        ("bad", ("--model", "model"), 1, "policy not met (refused): BIAS-02, MON-01"),
        ("good", (), 2, "name the model"),
        ("good", ("--model", "model", "--trust", "none.yaml"), 2, "cannot read the trust file"),
        ("good", ("--model", "model", "--max-age", "soon"), 2, "write 30m, 12h or 7d"),
        ("good", ("--model", "model", "--policy-digest", "abc"), 2, "64 hexadecimal digits"),
        ("swapped", ("--model", "model"), 4, "changed: MLmodel"),
        ("unsigned", ("--model", "model"), 4, "is not signed"),
        ("good", ("--model", "model", "--stage", "dev"), 4, "not for 'dev'"),
        ("good", ("--model", "model", "--max-age", "1m"), 4, "is older than"),
        (
            "good",
            ("--model", "model", "--policy-digest", f"sha256:{'0' * 64}"),
            4,
            "another policy",
        ),
        ("good", ("--model", "model", "--resource-uri", "pkg:generic/x"), 4, "not for x"),
        ("good", ("--model", "model", "--floor", f"release@{'5e' * 32}"), 0, "extends:   release@"),
        ("good", ("--model", "model", "--floor", f"release@{'00' * 32}"), 4, "not 0000"),
        ("good", ("--model", "model", "--floor", "release@1.0.0"), 2, "is no floor"),
    )
    shown: set[int] = set()
    for folder, options, code, said in cases:
        run = call if code in shown else process  # each code once as the process's own
        shown.add(code)
        done = run(tmp_path / folder, "verify", "evidence", *options)
        assert said in done.out + done.err, (options, done)
        assert done.code == code, (options, done.err)
    assert shown == {0, 1, 2, 4}


def test_a_signers_text_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    """Escape sequences and line breaks of the evidence are not printed as they are."""
    lab = _lab(tmp_path)
    lab.forge("evaluation", lambda p: p["policy"].update(version="1\x1b[2J\npolicy met"))
    done = process(tmp_path, "verify", "evidence", "--model", "model")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert done.out.count("\npolicy met\n") == 1
    assert "@1\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}policy met" in done.out


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_keys_are_made_and_shown(tmp_path: Path, kind: str) -> None:
    """What is shown is the fingerprint of the key that signs; nothing is overwritten."""
    generate = ("evidence", "key", "generate", "--out", "k")
    made = call(tmp_path, *generate, "--type", kind, **{keys.PASSWORD_VARIABLE: "pw"})
    assert made.code == 0, made.err
    shown = call(tmp_path, "evidence", "key", "show", "k.pub")
    private = keys.load_private((tmp_path / "k").read_bytes(), password="pw", where="k")
    fingerprint = keys.public_of(private).fingerprint
    assert shown.out.split()[0] == fingerprint
    assert f"fingerprint: {fingerprint}\n" in made.out
    again = call(tmp_path, *generate)
    assert (again.code, "never overwritten" in again.err) == (2, True)


def test_a_key_in_the_clear_is_named_so(tmp_path: Path) -> None:
    """And an empty password, as an unset secret gives, is no password."""
    clear = process(tmp_path, "evidence", "key", "generate")
    assert "gate.key (not encrypted)" in clear.out
    empty = {keys.PASSWORD_VARIABLE: ""}
    done = call(tmp_path, "evidence", "key", "generate", "--out", "e", **empty)
    assert (done.code, (tmp_path / "e").exists()) == (2, False)


def test_showing_what_is_no_public_key_is_a_usage_error(tmp_path: Path) -> None:
    """A missing file, and the private half."""
    call(tmp_path, "evidence", "key", "generate")
    for path, said in (("none", "cannot read the key"), ("gate.key", "this is a private key")):
        done = call(tmp_path, "evidence", "key", "show", path)
        assert (done.code, said in done.err) == (2, True)
