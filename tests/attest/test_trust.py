"""The trust file: closed, every problem at once, and a key counts for its time and role only."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import trust_file
from aims_gate.attest.resource import Copy
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import PolicyError, TrustError, UsageError
from tests.support.laws import law
from tests.support.proofs import NOW, new_signer

SIGNER = new_signer()
KEY = SIGNER.key
ENTRY: dict[str, Any] = {
    "person": "gate@acme.example",
    "public_key": KEY.pem,
    "roles": ["gate"],
}


def _text(*entries: dict[str, Any], **more: Any) -> bytes:
    file = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": list(entries), **more}
    return yaml.safe_dump(file, sort_keys=False).encode()


def _parse(data: bytes, folder: Path = Path("nowhere")) -> Trust:
    return trust_file.parse(data, file="trust.yaml", folder=folder)


def _problems(data: bytes, folder: Path = Path("nowhere")) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        _parse(data, folder)
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_everything_that_can_be_said() -> None:
    """Keys with windows, servers by URL and by name, and copies."""
    trust = _parse(
        _text(
            {
                **ENTRY,
                "fingerprint": KEY.fingerprint,
                "roles": ["gate", "records"],
                "verifier_ids": ["https://ci.example/gate.yml"],
                "valid_from": "2026-01-01",
                "valid_until": "2027-01-01T12:00:00+02:00",
                "revoked_at": "2026-12-01T00:00:00Z",
            },
            {**ENTRY, "public_key": new_signer().key.pem, "roles": ["approver"]},
            servers={"prod": ["https://MLflow.example:443/"], "dev": ["http://dev:5000"]},
            copies=["dev.credit.risk -> prod.cr"],
        )
    )
    assert trust.keys[0] == TrustedKey(
        key=KEY,
        person="gate@acme.example",
        roles=frozenset({KeyRole.GATE, KeyRole.RECORDS}),
        verifier_ids=("https://ci.example/gate.yml",),
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2027, 1, 1, 10, tzinfo=UTC),
        revoked_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert trust.keys[1].roles == {KeyRole.APPROVER}
    assert trust.servers["https://mlflow.example"] == trust.servers["prod"] == "prod"
    assert trust.copies == (Copy(source=("dev", "credit.risk"), target=("prod", "cr")),)


def test_public_keys_are_given_in_three_ways(tmp_path: Path) -> None:
    """PEM, an OpenSSH line, and a file beside the trust file give the same key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = SIGNER.private.public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " a comment"
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "gate.pub").write_text(line, encoding="utf-8")
    for written in (KEY.pem, line, "keys/gate.pub"):
        trust = _parse(_text({**ENTRY, "public_key": written}), tmp_path)
        assert trust.keys[0].key == KEY


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"person": " "}, "keys[0].person must not be empty"),
        ({"person": 1}, "keys[0].person must be text, not the number 1"),
        ({"public_key": "gate.pub"}, "cannot read the public key gate.pub"),
        ({"public_key": "../gate.pub"}, "unsafe file name"),
        ({"public_key": "/etc/passwd"}, "unsafe file name"),
        ({"public_key": "ssh-rsa AAAA"}, "cannot be read"),
        ({"public_key": "-----BEGIN PRIVATE KEY-----"}, "this is a private key"),
        ({"fingerprint": "SHA256:other"}, "the public key's fingerprint is SHA256:"),
        ({"roles": []}, "keys[0].roles is an empty list"),
        ({"roles": ["admin"]}, "must be one of gate, approver, policy, records"),
        ({"verifier_ids": []}, "keys[0].verifier_ids is an empty list"),
        ({"valid_from": None}, "has no value"),
        ({"valid_until": "2027-06-30T12:00:00"}, "add Z for UTC: 2027-06-30T12:00:00Z"),
        ({"valid_until": "tomorrow"}, "must be a day or a time, not 'tomorrow'"),
        ({"valid_until": 20270630}, "must be text, not the number 20270630"),
        ({"valid_from": "0001-01-01T00:00:00+12:00"}, "must be a day that exists"),
        ({"valid_from": "2027-01-01", "valid_until": "2027-01-01"}, "ends before it begins"),
        ({"valid_untill": "2027-01-01"}, "did you mean 'valid_until'"),
    ],
)
def test_wrong_entries_are_refused(change: dict[str, object], match: str) -> None:
    """Each with its line and in the file's words."""
    (problem,) = _problems(_text({**ENTRY, **change}))
    assert match in problem
    assert problem.startswith("trust.yaml:")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"apiVersion": "aims-gate/v2"}, "apiVersion"),
        ({"kind": "Policy"}, "kind"),
        ({"keys": None}, "keys"),
        ({"servres": {}}, "did you mean 'servers'"),
        ({"identities": []}, "identities"),
        ({"servers": {"Prod!": ["https://x"]}}, "servers"),
        ({"servers": {"prod": []}}, "servers.prod"),
        ({"servers": {"a": ["https://x/"], "b": ["https://x"]}}, "is both a and b"),
        ({"copies": ["dev.cr => prod.cr"]}, "is not a copy"),
        ({"copies": ["dev.cr -> prod.cr"], "servers": {"prod": ["https://x"]}}, "server 'dev'"),
    ],
)
def test_wrong_files_are_refused(change: dict[str, object], match: str) -> None:
    """Unknown and missing keys, unknown servers, and one URL for two of them."""
    assert any(match in problem for problem in _problems(_text(ENTRY, **change)))


def test_the_only_server_is_one_that_is_no_folder() -> None:
    """By any of its URLs; a name that stands for folders is no server of MLflow's."""
    one = _parse(_text(ENTRY, servers={"prod": ["https://a", "https://b"], "lab": ["file:"]}))
    assert one.only_server == "prod"
    assert [one.server(url) for url in ("https://a/", "prod", "https://c/")] == [
        "prod",
        "prod",
        "https://c",
    ]
    two = _parse(_text(ENTRY, servers={"prod": ["https://a"], "dev": ["https://b"]}))
    assert two.only_server == _parse(_text(ENTRY)).only_server == ""


def test_an_empty_list_of_keys_trusts_nobody() -> None:
    """It is legal, as nobody may be trusted yet; a file that lists none at all is a mistake."""
    assert _parse(_text()).keys == ()
    (problem,) = _problems(b"apiVersion: aims-gate/v1\nkind: Trust\n")
    assert "nobody is trusted; give keys, or identities; keys: [] trusts nobody" in problem


def test_a_missing_key_and_another_root_are_refused() -> None:
    """Said by name."""
    assert (
        "keys[0] lacks 'roles'; add it" in _problems(_text({"person": "a", "public_key": "b"}))[0]
    )
    assert "this is no mapping of keys" in _problems(b"[]")[0]


def test_all_problems_come_at_once_with_their_lines() -> None:
    """Nobody has to run three times to learn of three mistakes."""
    data = (
        b"apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n- person: a\n  public_key: nowhere.pub\n"
        b"  roles: [gate]\n- person: b\n  public_key: ../x\n  roles: [gate]\ncopies: [x]\n"
    )
    lines = [problem.split(" ", 1)[0] for problem in _problems(data)]
    assert lines == ["trust.yaml:5:", "trust.yaml:8:", "trust.yaml:10:"]


def test_one_key_twice_is_refused() -> None:
    """The second entry could have other roles, and the first would win in silence."""
    assert "listed twice" in _problems(_text(ENTRY, {**ENTRY, "roles": ["approver"]}))[0]


def test_a_missing_trust_file_is_a_usage_error(tmp_path: Path) -> None:
    """Exit code 2: without trust nothing can be verified."""
    with pytest.raises(UsageError, match="cannot read the trust file") as caught:
        trust_file.load(tmp_path / "trust.yaml")
    assert caught.value.exit_code == 2
    (tmp_path / "trust.yaml").write_bytes(_text(ENTRY))
    assert trust_file.load(tmp_path / "trust.yaml").keys[0].key == KEY


def _admit(at: datetime = NOW, role: KeyRole = KeyRole.GATE, **window: Any) -> TrustedKey:
    entry = TrustedKey(key=KEY, person="p", roles=frozenset({KeyRole.GATE}), **window)
    return Trust(keys=(entry,)).admit(KEY, role=role, at=at, where="x")


def test_a_key_is_admitted_inside_its_window() -> None:
    """From the first moment on; without a window always."""
    assert _admit().person == "p"
    assert _admit(valid_from=NOW, valid_until=NOW + timedelta(seconds=1)).person == "p"
    assert _admit(revoked_at=NOW + timedelta(seconds=1)).person == "p"


def test_each_key_counts_by_its_own_entry() -> None:
    """Of two that are listed, the one that signed: its role, its window, its revocation."""
    other = new_signer().key
    first = TrustedKey(key=other, person="first", roles=frozenset({KeyRole.GATE}))
    second = TrustedKey(key=KEY, person="second", roles=frozenset({KeyRole.APPROVER}))
    trust = Trust(keys=(first, second))
    with pytest.raises(TrustError, match="of second may not sign as gate"):
        trust.admit(KEY, role=KeyRole.GATE, at=NOW, where="x")
    assert trust.admit(KEY, role=KeyRole.APPROVER, at=NOW, where="x") is second
    assert trust.admit(other, role=KeyRole.GATE, at=NOW, where="x") is first
    trust = Trust(keys=(first, replace(second, roles=first.roles, revoked_at=NOW)))
    with pytest.raises(TrustError, match="of second was revoked"):
        trust.admit(KEY, role=KeyRole.GATE, at=NOW, where="x")


def test_a_window_may_be_open_at_either_end() -> None:
    """A beginning without an end, and an end without a beginning."""
    (begins,) = _parse(_text({**ENTRY, "valid_from": "2026-01-01"})).keys
    (ends,) = _parse(_text({**ENTRY, "valid_until": "2026-01-01"})).keys
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert (begins.valid_from, begins.valid_until) == (moment, None)
    assert (ends.valid_from, ends.valid_until) == (None, moment)


def test_a_large_file_costs_no_more_than_its_size() -> None:
    """1,500 servers and 3,500 copies of unknown ones took 16 seconds."""
    servers = {f"server-{number}": [f"https://{number}.example"] for number in range(1500)}
    copies = [f"sever-{number}.a -> sever-{number}.b" for number in range(3500)]
    data = _text(ENTRY, servers=servers, copies=copies)
    started = time.process_time()
    assert len(_problems(data)) == len(copies)
    assert time.process_time() - started < 5


def test_a_key_is_refused_outside_its_window_role_and_file() -> None:
    """Each reason has its own words; the end is exclusive."""
    second = timedelta(seconds=1)
    with pytest.raises(TrustError, match="expired at"):
        _admit(valid_until=NOW)
    with pytest.raises(TrustError, match="not valid before"):
        _admit(valid_from=NOW + second)
    with pytest.raises(TrustError, match="was revoked at"):
        _admit(revoked_at=NOW, valid_until=NOW)
    with pytest.raises(TrustError, match="may not sign as approver, only as gate"):
        _admit(role=KeyRole.APPROVER)
    with pytest.raises(TrustError, match=r"is not in trust\.yaml"):
        Trust(keys=()).admit(KEY, role=KeyRole.GATE, at=NOW, where="x")


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*ENTRY, "valid_from", "servers", "copies", "keys", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@law(200)
@given(st.binary(max_size=80) | _TREES.map(lambda tree: yaml.safe_dump(tree).encode()))
def test_any_text_is_refused_with_a_policy_error(data: bytes) -> None:
    """Never another exception, and never trust out of noise."""
    with pytest.raises(PolicyError):
        _parse(data)


@law(200)
@given(st.dictionaries(st.sampled_from(["keys", "servers", "copies", "kind"]), _TREES, max_size=2))
def test_any_part_is_refused_or_keeps_only_listed_keys(part: dict[str, Any]) -> None:
    """A half-right file trusts nobody whom it does not list."""
    try:
        trust = _parse(_text(ENTRY, **part))
    except PolicyError:
        return
    assert [one.key for one in trust.keys] == ([] if part.get("keys") == [] else [KEY])
