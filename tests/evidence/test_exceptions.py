"""Adoption and break-glass let one version's very bytes be served, and nothing else ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest.envelope import sign
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.attest.statement import encode, envelope_file
from aims_gate.attest.statement_files import write_statement
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import TrustError
from aims_gate.evidence import live
from aims_gate.evidence.exceptions import Excepted, excepted
from aims_gate.evidence.live import LIVE, Served
from aims_gate.evidence.predicates import FORM
from aims_gate.signoffs import BREAK_GLASS, kinds
from tests.evidence.test_revocations import freeze
from tests.support.proofs import NOW, new_signer

URL = "https://mlflow.example"
DIGEST = "ab" * 32
SERVED = Served(server="prod", name="credit", version="7", sha256=DIGEST, aliases=("champion",))
OTHERS = {
    "name": replace(SERVED, name="credit2"),
    "version": replace(SERVED, version="8"),
    "bytes": replace(SERVED, sha256="cd" * 32),
    "server": replace(SERVED, server="dev"),
    "alias": replace(SERVED, aliases=("live",)),
    "two aliases": replace(SERVED, aliases=("champion", "live")),
    "stage": replace(SERVED, aliases=(), stages=("Production",)),
    "nothing": replace(SERVED, aliases=()),
    "an empty alias": replace(SERVED, aliases=("",)),
}
OFFICER = new_signer()
GATE = new_signer()
OFFICERS = TrustedKey(key=OFFICER.key, person="ana", roles=frozenset({KeyRole.APPROVER}))
GATES = TrustedKey(key=GATE.key, person="gate-bot", roles=frozenset({KeyRole.GATE}))
TRUST = Trust(keys=(OFFICERS, GATES), servers={URL: "prod", "prod": "prod"})


def adopt(folder: Path, signer: LocalSigner = OFFICER, **more: Any) -> None:
    """Sign a list of `SERVED`, as it was live at `NOW`."""
    (folder / live.FOLDER).mkdir(exist_ok=True)
    terms = {"owner": "ana", "on": NOW, "until": NOW + timedelta(days=90), **more}
    server = terms.pop("server", "prod")
    found = terms.pop("found", [SERVED])
    name = f"{len(list((folder / live.FOLDER).iterdir()))}"
    statement = live.statement_of(server, found, **terms)
    write_statement(folder / live.FOLDER, name, LIVE, statement, signer)


def order(folder: Path, signer: LocalSigner = OFFICER, **more: Any) -> None:
    """Sign a break-glass order for `SERVED`, which jo asked for."""
    (folder / BREAK_GLASS).mkdir(exist_ok=True)
    predicate: dict[str, Any] = {
        "kind": "BreakGlass",
        "id": "BRK-1",
        "server": URL,
        "alias": "champion",
        "model": {"name": "credit", "version": "7", "sha256": DIGEST},
        "requestedBy": "jo",
        "approvedBy": "ana",
        "justification": "the present champion answers with errors since noon",
        "issued": f"{NOW:{FORM}}",
        "expires": f"{NOW + timedelta(days=1):{FORM}}",
        **more,
    }
    predicate = {key: value for key, value in predicate.items() if value is not None}
    payload = encode(kinds.statement_of(kinds.BREAK_GLASS, predicate))
    (folder / BREAK_GLASS / "BRK-1.ana.dsse.json").write_bytes(sign(payload, signer))


def look(
    folder: Path,
    served: Served = SERVED,
    *,
    trust: Trust = TRUST,
    now: datetime = NOW,
    by: str = "",
) -> Excepted:
    return excepted(served, trust=trust, folder=folder, now=now, authors=[by] if by else [])


def test_without_anything_signed_there_is_no_exception(tmp_path: Path) -> None:
    assert look(tmp_path) == Excepted()
    assert not look(tmp_path)


def test_what_was_live_may_stay_until_the_list_ends(tmp_path: Path) -> None:
    adopt(tmp_path)
    found = look(tmp_path)
    assert found.grounds == "live when ana adopted it, until 2027-02-21T12:00:00Z"
    late = look(tmp_path, now=NOW + timedelta(days=90))
    assert not late
    assert "0.dsse.json: the list ended at 2027-02-21T12:00:00Z" in late.faults[0]


def test_an_order_lets_the_alias_be_set_until_it_ends(tmp_path: Path) -> None:
    order(tmp_path)
    assert look(tmp_path).grounds == "BRK-1, break-glass of ana until 2026-11-24T12:00:00Z"
    late = look(tmp_path, now=NOW + timedelta(days=1))
    assert (late.grounds, late.faults) == (
        "",
        ("BRK-1.ana.dsse.json: it ended at 2026-11-24T12:00:00Z",),
    )


@pytest.mark.parametrize("other", OTHERS)
def test_neither_is_for_anything_else(tmp_path: Path, other: str) -> None:
    adopt(tmp_path)
    order(tmp_path)
    assert not look(tmp_path, OTHERS[other])


def test_an_mlflow_stage_is_adopted_and_ordered_as_an_alias_is(tmp_path: Path) -> None:
    staged = OTHERS["stage"]
    adopt(tmp_path, found=[staged])
    assert look(tmp_path, staged)
    assert not look(tmp_path)
    (tmp_path / "other").mkdir()
    order(tmp_path / "other", alias=None, stage="Production")
    assert look(tmp_path / "other", staged)
    assert not look(tmp_path / "other")


def test_a_server_is_the_one_that_the_trust_file_says(tmp_path: Path) -> None:
    """By its name or by one of its URLs, on both sides."""
    adopt(tmp_path, server=f"{URL}:443/")
    assert look(tmp_path)
    assert look(tmp_path, replace(SERVED, server=URL))
    assert not look(tmp_path, replace(SERVED, server="https://other.example"))


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"on": NOW + timedelta(minutes=6)}, "signed in the future"),
        ({"until": NOW + timedelta(days=181)}, "holds for more than 180 days"),
    ],
)
def test_a_list_that_no_command_signs_does_not_count(
    tmp_path: Path, terms: dict[str, Any], told: str
) -> None:
    adopt(tmp_path, **terms)
    found = look(tmp_path)
    assert not found
    assert told in found.faults[0]


def test_a_list_whose_subject_is_another_does_not_count(tmp_path: Path) -> None:
    statement = live.statement_of(
        "prod", [SERVED], owner="ana", on=NOW, until=NOW + timedelta(days=1)
    )
    (tmp_path / live.FOLDER).mkdir()
    forged = replace(statement, subject="0" * 64)
    write_statement(tmp_path / live.FOLDER, "0", LIVE, forged, OFFICER)
    assert "the statement's subject is not the list in it" in look(tmp_path).faults[0]


@pytest.mark.parametrize("sign_it", [adopt, order])
def test_only_an_approver_makes_exceptions(tmp_path: Path, sign_it: Any) -> None:
    """Neither who runs the gate, nor a stranger, nor a key that has ended or was revoked."""
    sign_it(tmp_path)
    for keys in (
        (GATES,),
        (replace(OFFICERS, roles=frozenset({KeyRole.GATE, KeyRole.RECORDS})),),
        (replace(OFFICERS, valid_until=NOW),),
        (replace(OFFICERS, revoked_at=NOW),),
    ):
        found = look(tmp_path, trust=replace(TRUST, keys=keys))
        assert not found
        assert found.faults
    assert not look(tmp_path, trust=replace(TRUST, keys=()))


@pytest.mark.parametrize("sign_it", [adopt, order])
def test_what_was_revoked_is_no_exception(tmp_path: Path, sign_it: Any) -> None:
    """The model's bytes, or the key; and a revocation that cannot be read forbids everything."""
    sign_it(tmp_path)
    freeze(tmp_path / "revocations", "a", (MODEL_FILE, DIGEST), signer=GATE)
    found = look(tmp_path)
    assert not found
    assert "the model's bytes of this evidence was revoked" in found.faults[0]
    for file in (tmp_path / "revocations").iterdir():
        file.unlink()
    from aims_gate.evidence.predicates import KEY_SUBJECT
    from aims_gate.evidence.revocations import digest_of_key

    key = digest_of_key(OFFICER.key.fingerprint)
    freeze(tmp_path / "revocations", "b", (KEY_SUBJECT, key), signer=GATE)
    assert not look(tmp_path)
    (tmp_path / "revocations" / envelope_file("b")).write_bytes(b"{}")
    with pytest.raises(TrustError, match="the revocation cannot be verified"):
        look(tmp_path)


@pytest.mark.parametrize("sign_it", [adopt, order])
def test_one_changed_byte_of_what_was_signed_does_not_count(tmp_path: Path, sign_it: Any) -> None:
    sign_it(tmp_path)
    (path,) = tmp_path.glob("*/*.dsse.json")
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"A', 1))
    found = look(tmp_path)
    assert not found
    assert path.name in found.faults[0]


def test_more_lists_than_anybody_reads_count_for_nothing(tmp_path: Path) -> None:
    adopt(tmp_path)
    for number in range(live.MAX_FILES):
        (tmp_path / live.FOLDER / f"x{number}.dsse.json").write_text("{}", encoding="utf-8")
    assert "more than 100 lists" in look(tmp_path).faults[0]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"requestedBy": "Ana"}, "ana asked for it and approved it"),
        ({"expires": f"{NOW + timedelta(days=8):{FORM}}"}, "holds for more than 7 days"),
        ({"server": "dev"}, "it is for the server 'dev'"),
        ({"model": {"name": "credit", "version": "7", "sha256": "0" * 64}}, "for other bytes"),
    ],
)
def test_an_order_that_does_not_hold_says_why(
    tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    order(tmp_path, **more)
    found = look(tmp_path)
    assert not found
    assert told in " ".join(found.faults)


def test_who_made_the_model_or_holds_the_gate_breaks_no_glass(tmp_path: Path) -> None:
    order(tmp_path)
    assert "ana approved it and made the model" in look(tmp_path, by="ana").faults[0]
    both = replace(OFFICERS, roles=frozenset(KeyRole))
    found = look(tmp_path, trust=replace(TRUST, keys=(both,)))
    assert "ana approved it and holds the gate's key" in found.faults[0]
    alias = replace(OFFICERS, known_as=("gate-bot",))
    assert not look(tmp_path, trust=replace(TRUST, keys=(alias, GATES)))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"alias": None}, "is for one alias, or for one of MLflow's stages"),
        ({"stage": "Production"}, "is for one alias, or for one of MLflow's stages"),
        ({"model": {"name": "credit", "sha256": DIGEST}}, "version and sha256"),
        ({"model": {"name": "credit", "version": "7", "scope": "model"}}, "version and sha256"),
        ({"justification": "TODO: because it has to be so"}, "says too little"),
    ],
)
def test_an_order_is_of_one_move_of_one_version(
    tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    with pytest.raises(TrustError, match=told):
        order(tmp_path, **more)
