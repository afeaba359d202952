"""Revoked evidence is refused, whoever of the trusted revoked it; unreadable ones refuse all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import Statement
from aims_gate.attest.statement_files import write_statement
from aims_gate.attest.trust import KeyRole, TrustedKey
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.predicates import FORM, KEY_SUBJECT, REVOCATION
from aims_gate.evidence.revocations import (
    MAX_FILES,
    VERDICT_SUBJECT,
    Revocations,
    digest_of_key,
)
from tests.support.proofs import NOW, SIGNED_AT, Lab, new_signer

OFFICER = new_signer()
OFFICERS = TrustedKey(key=OFFICER.key, person="jo", roles=frozenset({KeyRole.RECORDS}))


def freeze(
    folder: Path, name: str, subject: tuple[str, str], *, signer: Signer = OFFICER, **more: str
) -> None:
    folder.mkdir(exist_ok=True)
    predicate = {"why": "labels were wrong", "revokedOn": NOW.strftime(FORM), **more}
    statement = Statement(
        predicate_type=REVOCATION.predicate_type,
        subject_name=subject[0],
        subject=subject[1],
        predicate=predicate,
    )
    write_statement(folder, name, REVOCATION, statement, signer)


def verify(lab: Lab, folder: Path, **officer: Any) -> bool:
    trust = lab.trust(others=(replace(OFFICERS, **officer),))
    found = Revocations.read((folder,), trust=trust, now=NOW)
    return lab.verify(trust=trust, revocations=found).passed


def subjects(lab: Lab) -> dict[str, tuple[str, str]]:
    """Give what may be revoked of the lab's evidence."""
    verified = lab.verify()
    return {
        "verdict": (VERDICT_SUBJECT, verified.digest),
        "model": ("model.sha256", verified.model_digest),
        "key": (KEY_SUBJECT, digest_of_key(verified.fingerprint)),
    }


@pytest.mark.parametrize("what", ["verdict", "model", "key"])
def test_who_revoked_it_when_and_why_is_said(lab: Lab, tmp_path: Path, what: str) -> None:
    """Each kind of subject is found by its own digest, and by no digest of another kind."""
    folder = tmp_path / "revocations"
    assert verify(lab, folder), "nothing is revoked where no folder is"
    found = subjects(lab)
    for other in set(found) - {what}:
        freeze(folder, f"as-{other}", (found[other][0], found[what][1]))
    assert verify(lab, folder)
    freeze(folder, "r", found[what])
    told = rf"revoked at 2026-11-23T12:00:00Z by jo with {OFFICER.key.fingerprint[:9]}.*: 'labels"
    with pytest.raises(TrustError, match=told) as caught:
        verify(lab, folder)
    assert caught.value.exit_code == 4


def test_a_key_is_revoked_from_a_moment_on(lab: Lab, tmp_path: Path) -> None:
    """What it says to have signed earlier stands."""
    for since, refused in ((SIGNED_AT + timedelta(seconds=1), False), (SIGNED_AT, True)):
        folder = tmp_path / f"{refused}"
        freeze(folder, "r", subjects(lab)["key"], since=since.strftime(FORM))
        if refused:
            with pytest.raises(TrustError, match=r"from 2026-11-23T10:00:00Z on, .*was revoked"):
                verify(lab, folder)
        else:
            assert verify(lab, folder)


@pytest.mark.parametrize(
    "officer", [{"valid_until": NOW}, {"revoked_at": NOW}, {"valid_from": NOW + timedelta(days=1)}]
)
def test_a_revocation_outlives_its_key(lab: Lab, tmp_path: Path, officer: dict[str, Any]) -> None:
    """It only forbids: whoever signed it has left, and the model is as bad as before."""
    freeze(tmp_path / "revocations", "r", subjects(lab)["model"])
    with pytest.raises(TrustError, match="the model's bytes of this evidence was revoked"):
        verify(lab, tmp_path / "revocations", **officer)


def test_what_cannot_be_verified_refuses_everything(lab: Lab, tmp_path: Path) -> None:
    """By a stranger's key, altered, without its envelope, without its statement."""
    other = ("model.sha256", "00" * 32)
    folder = tmp_path / "stranger"
    freeze(folder, "r", other, signer=new_signer())
    with pytest.raises(TrustError, match=r"stranger/r\.dsse\.json: the revocation cannot be"):
        verify(lab, folder)
    for ending in ("statement", "dsse"):
        folder = tmp_path / ending
        freeze(folder, "r", other)
        assert verify(lab, folder)
        (folder / f"r.{ending}.json").write_bytes(b"{}")
        with pytest.raises(TrustError, match="the revocation cannot be verified"):
            verify(lab, folder)
        (folder / f"r.{ending}.json").unlink()
        with pytest.raises(
            TrustError, match="cannot be verified: a file of the evidence is missing"
        ):
            verify(lab, folder)
    (folder / "r.statement.json").unlink()
    with pytest.raises(TrustError, match="cannot be verified"):
        verify(lab, folder)  # its bundle is left
    (folder / "r.sigstore.json").unlink()
    (folder / "README.md").write_text("why this folder is here", encoding="utf-8")
    (folder / ".r.statement.json").write_bytes(b"cut off")
    assert verify(lab, folder)


def test_what_is_no_folder_of_a_readable_size_refuses_everything(lab: Lab, tmp_path: Path) -> None:
    """A file in its place, and more statements than anybody revoked."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TrustError, match="revocations cannot be read"):
        verify(lab, tmp_path / "file")
    many = tmp_path / "many"
    many.mkdir()
    for number in range(MAX_FILES + 1):
        (many / f"{number}.dsse.json").touch()
    with pytest.raises(TrustError, match="more than 1,000 revocations"):
        verify(lab, many)


@pytest.mark.parametrize(
    "text",
    [
        *("", "SHA256:", "MD5:aa", "SHA256:\N{SNOWMAN}", "SHA256:" + "!" * 43),
        *("SHA256:" + "A" * 42, "SHA256:" + "A" * 44, "SHA256:" + "A" * 42 + "B"),
    ],
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    """Also one that stands for the same bytes in another spelling: a digest has one name."""
    with pytest.raises(UsageError, match="no fingerprint"):
        digest_of_key(text)
