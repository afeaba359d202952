"""Waivers that evidence relies on: the signed files beside it are verified again.

The gate verified them, and so does whoever deploys, by their own trust file: a person who may not
waive there, has left, or whose waiver has ended lets nothing through.
"""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest import resource
from aims_gate.attest.resource import Resource
from aims_gate.attest.statement_files import read_file
from aims_gate.attest.trust import Trust
from aims_gate.errors import TrustError
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.evidence.reader import Proof
from aims_gate.policy.model import Policy
from aims_gate.policy.resolve import resolve
from aims_gate.policy.resolved_yaml import rule_digest
from aims_gate.signoffs import folder as signoffs
from aims_gate.signoffs.folder import Signed, Unsound
from aims_gate.signoffs.grammar import WaiverSaid
from aims_gate.signoffs.kinds import WAIVER
from aims_gate.signoffs.people import problems

WAIVED = "WAIVED"


def hold(proof: Proof, folder: Path, *, trust: Trust, now: datetime) -> tuple[str, ...]:
    """Make sure that every rule that was waived has its waiver, and that it still holds.

    Returns:
        Per rule by which waiver it was let through: whose, for whom, and why.

    Raises:
        TrustError: A waiver is missing, altered, over, of a person who may not, or about another
            rule or model.
    """
    waived = [result for result in proof.evaluation.results if result.outcome == WAIVED]
    if not waived:
        return ()
    found = _verified(proof, folder, trust, now)
    place = resource.parse(proof.summary.resource_uri, servers=trust.servers, where="resourceUri")
    policy, wrong = resolve(proof.policy, uri=POLICY_FILE)
    if policy is None or wrong:
        raise TrustError("the policy cannot be read", where=POLICY_FILE)
    told = []
    for result in waived:
        if (held := found.get(result.waiver)) is None:
            raise TrustError(f"{result.rule} is waived, and its waiver is not there")
        people = problems(held.keys, held.said.requested_by, policy.waivers, gate=proof.signer)
        what = _mismatch(held.said, result.rule, policy, proof.subject, place) or next(people, "")
        if now >= held.said.expires:
            what = f"it ended at {held.said.expires:%Y-%m-%dT%H:%M:%SZ}"
        if what:
            raise TrustError(f"the waiver {held.said.id} does not hold: {what}", where=held.where)
        who = " and ".join(sorted({key.person for key in held.keys}))
        said = held.said
        told.append(
            f"{result.rule} by {said.id} of {who} for {said.requested_by}, "
            f"until {said.expires:%Y-%m-%dT%H:%M:%SZ}: {said.justification}"
        )
    return tuple(told)


def _verified(
    proof: Proof, folder: Path, trust: Trust, now: datetime
) -> dict[str | None, Signed[WaiverSaid]]:
    """Read and verify the waivers that the evaluation names, by their ids."""
    files = {one.uri: read_file(folder, one.uri) for one in proof.evaluation.waivers}
    for one in proof.evaluation.waivers:
        if canonical.sha256(files[one.uri]) != one.digest.sha256:
            raise TrustError("is not the waiver that was signed for", where=one.uri)
    found: dict[str | None, Signed[WaiverSaid]] = {}
    for signed in signoffs.verified(files, WAIVER, trust=trust, now=now):
        if isinstance(signed, Unsound):
            raise TrustError(f"the waiver does not hold: {signed.what}", where=signed.where)
        found[signed.said.id] = signed
    return found


def _mismatch(said: WaiverSaid, rule: str, policy: Policy, subject: str, place: Resource) -> str:
    """Say which other rule or model a waiver is about; empty if it is about these."""
    rules = {one.id: one for one in policy.rules}
    model = said.model
    if said.rule != rule or rule not in rules:
        return f"it is for {said.rule}, not for {rule}"
    if said.rule_sha256 != rule_digest(rules[rule], policy):
        return f"{rule} is not the rule that it was drafted for"
    if rule in policy.waivers.not_waivable:
        return f"the policy says that {rule} is not waivable"
    if model.by_name:
        alike = place.registered and fnmatchcase(place.name, model.name)
        return "" if alike else f"it is for models called {model.name!a}"
    return "" if model.sha256 == subject else "it is for other bytes"
