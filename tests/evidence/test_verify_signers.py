"""Who signed, in which role and when: each statement by one trusted key, and in time."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate import canonical
from aims_gate.attest.statement import envelope_file
from aims_gate.attest.trust import KeyRole, TrustedKey
from aims_gate.evidence.verify import MAX_SKEW
from tests.evidence.refusals import refuses
from tests.support.proofs import (
    NOW,
    SIGNED_AT,
    Lab,
    new_signer,
    verdict_of,
)

SECOND = timedelta(seconds=1)


def test_no_evidence_is_refused(lab: Lab) -> None:
    """A missing directory, and a file in its place."""
    shutil.rmtree(lab.evidence)
    refuses(lab, "no readable evidence directory")
    lab.evidence.touch()
    refuses(lab, "no readable evidence directory")


def test_unsigned_evidence_is_refused(tmp_path: Path) -> None:
    """However right it may be."""
    refuses(Lab.make(tmp_path, signed=False), "is not signed")


def test_local_evidence_is_refused_whoever_signs_it(tmp_path: Path) -> None:
    """What a test run made, and what is about an estimator in memory, prove nothing elsewhere."""
    versions = {"aims-gate": "0.1.0", "origin": "pytest"}
    local = Lab.make(tmp_path / "local", versions=versions)
    refuses(local, "is local: it was made by 'pytest'")
    model = replace(verdict_of(local.manifest, None).model, reader="memory")
    refuses(Lab.make(tmp_path / "memory", model=model), "an estimator in memory")


@pytest.mark.parametrize("stem", ["evaluation", "test-result", "vsa"])
def test_each_statement_must_be_signed(lab: Lab, stem: str) -> None:
    """Two of three signatures are none."""
    (lab.evidence / envelope_file(stem)).unlink()
    refuses(lab, f"{stem}.dsse.json: a file of the evidence is missing")


@pytest.mark.parametrize("stem", ["evaluation", "test-result", "vsa"])
def test_a_bad_signature_is_refused(lab: Lab, stem: str) -> None:
    """The envelope of another statement's payload does not verify."""
    path = lab.evidence / envelope_file(stem)
    tree = canonical.parse(path.read_bytes())
    tree["signatures"][0]["sig"] = canonical.parse(
        (lab.evidence / envelope_file("vsa" if stem != "vsa" else "evaluation")).read_bytes()
    )["signatures"][0]["sig"]
    path.write_bytes(canonical.encode(tree))
    refuses(lab, "does not fit the payload")


def test_an_untrusted_key_is_refused(lab: Lab) -> None:
    """The evidence is genuine, and nobody here knows who made it."""
    refuses(lab, "a key that is not trusted", trust=lab.trust(key=new_signer().key))


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"valid_until": NOW}, "expired at"),
        ({"valid_from": NOW + SECOND}, "not valid before"),
        ({"revoked_at": NOW}, "was revoked"),
        ({"roles": frozenset({KeyRole.APPROVER, KeyRole.RECORDS})}, "may not sign as gate"),
        ({"verifier_ids": ("https://other/gate.yml",)}, "may not sign as verifier"),
        ({"valid_from": SIGNED_AT + SECOND}, "older than the validity of its key"),
    ],
)
def test_keys_count_for_their_time_role_and_verifier(
    lab: Lab, entry: dict[str, Any], match: str
) -> None:
    """Each in its own words."""
    refuses(lab, match, trust=lab.trust(**entry))


def test_without_verifier_ids_any_is_allowed(lab: Lab) -> None:
    """The key alone says who it is then."""
    assert lab.verify(trust=lab.trust(verifier_ids=())).passed


def test_three_statements_need_one_signer(lab: Lab) -> None:
    """Parts of two runs of two gates must not be put together."""
    other = new_signer()
    lab.resign("test-result", lab.payload("test-result"), signer=other)
    entry = TrustedKey(key=other.key, person="other", roles=frozenset({KeyRole.GATE}))
    refuses(lab, "signed by different keys", trust=lab.trust(others=(entry,)))


def test_a_signature_at_the_first_moment_of_its_key_counts(lab: Lab) -> None:
    """One second before it does not."""
    assert lab.verify(trust=lab.trust(valid_from=SIGNED_AT)).passed
    refuses(lab, "older than the validity", trust=lab.trust(valid_from=SIGNED_AT + SECOND))


def test_age(lab: Lab) -> None:
    """Up to the limit it counts, one second later it does not; without a limit it does."""
    week = timedelta(days=7)
    assert lab.verify(now=SIGNED_AT + week, max_age=week).passed
    refuses(lab, "is older than 7 days", now=SIGNED_AT + week + SECOND, max_age=week)
    assert lab.verify(now=SIGNED_AT + 8 * week).passed


def test_evidence_from_the_future_is_refused(lab: Lab) -> None:
    """Small differences of clocks aside, it was dated by somebody."""
    assert lab.verify(now=SIGNED_AT - MAX_SKEW).passed
    refuses(lab, "from the future", now=SIGNED_AT - MAX_SKEW - SECOND)
