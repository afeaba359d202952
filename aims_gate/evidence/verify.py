"""Does this evidence prove that a model passed? Every reason to say no has its own words.

Bytes are verified before anything is parsed; then signatures, people and times, then that the
three statements, the manifest, the policy and the report belong together, then that they are about
the requested model, resource, stage and policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from aims_gate.attest import manifest, resource
from aims_gate.attest.manifest import MODEL_FILE, Manifest
from aims_gate.attest.trust import Deployment, Trust, TrustedKey
from aims_gate.documents import strict_yaml
from aims_gate.errors import PolicyError, SourceError, StaleError, TrustError
from aims_gate.evidence import signed_policy, waived
from aims_gate.evidence.agreement import Verified, agree
from aims_gate.evidence.layout import ORIGIN, POLICY_FILE
from aims_gate.evidence.predicates import Evaluation
from aims_gate.evidence.reader import Proof, open_evidence
from aims_gate.evidence.revocations import NONE, Revocations
from aims_gate.facts import MEMORY, Ancestor
from aims_gate.policy.model import STAGES
from aims_gate.signoffs import committed
from aims_gate.signoffs import folder as signoffs
from aims_gate.signoffs.approvals import Approved, assigned, given, lacking
from aims_gate.signoffs.committed import CommitHistory
from aims_gate.signoffs.folder import Signed, Unsound
from aims_gate.signoffs.grammar import ApprovalSaid
from aims_gate.signoffs.kinds import APPROVAL

MAX_SKEW = timedelta(minutes=5)
"""How far a signing machine's clock may be ahead of ours."""
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the evidence must be about; None leaves a question out, except for the stage."""

    model: Manifest | None
    """The bytes that are to be used; None checks signatures and consistency only."""
    stage: str | None = None
    """None is the last and strictest stage of the policy that was applied, as for `run`."""
    policy_digest: str | None = None
    """SHA-256 of the resolved policy."""
    floor: Ancestor | None = None
    """The policy that the applied one must be, or descend from; a pack by its URI, or by its name
    alone, as `pack:release`."""
    resource_uri: str | None = None
    """Package URL of the model's place."""
    max_age: timedelta | None = None
    approvals: Path | None = None
    """Folder of signed approvals, for what the trust file expects of them."""
    history: CommitHistory | None = None
    """Of the repository that this folder lies in, where approvals may be commits."""
    deployed_before: bool = False
    """It is a return to what was deployed: the trust file's greatest ages do not hold."""
    revocations: Revocations = NONE


def verify_evidence(folder: Path, *, trust: Trust, expected: Expected, now: datetime) -> Verified:
    """Verify an evidence directory.

    Args:
        folder: The directory that `run` wrote.
        trust: Whose signatures count.
        expected: What it must be about.
        now: The present moment, with time zone.

    Returns:
        What was proved; it may be an authentic refusal.

    Raises:
        TrustError: Something is unsigned, forged, altered, missing, too old, signed by somebody
            who may not, or about something else.
    """
    proof = open_evidence(folder, trust, now)
    _local(proof.evaluation)
    verified = agree(proof, model_given=expected.model is not None)
    _verifier(verified, proof.signer)
    _times(verified, proof.signer)
    trust = expected.revocations.applied(trust)
    verified = replace(verified, waived=waived.hold(proof, folder, trust=trust, now=now))
    expected.revocations.refuse(
        verdict=verified.digest,
        model=verified.model_digest,
        key=verified.fingerprint,
        at=verified.at,
    )
    deployments = _place(verified, expected.resource_uri, trust)
    _model(proof, expected.model)
    if expected.policy_digest not in {None, verified.policy_digest}:
        raise TrustError(
            f"another policy was applied: {verified.policy} sha256:{verified.policy_digest}",
            hint="run the gate with the policy that is in force",
        )
    asked = Deployment(stage=expected.stage or "", max_age=expected.max_age, floor=expected.floor)
    if not any(one.stage for one in (asked, *deployments)):
        asked = replace(asked, stage=_strictest(proof.policy))
    if expected.deployed_before:
        deployments = tuple(replace(one, max_age=None) for one in deployments)
    for one in (asked, *deployments):
        _deployable(one, verified, proof.evaluation)
        if one.signed_policy:
            signed_policy.demand(proof, folder, where=one.where, trust=trust, now=now)
    roles = {role: one.where for one in deployments for role in one.approvals}
    if roles:
        about = Approved(
            name=resource.parse(verified.resource_uri, servers=trust.servers, where="").name,
            digest=verified.model_digest,
            evidence=verified.digest,
            gate=proof.signer,
            now=now,
        )
        _approved(roles, expected, about, trust)
    if verified.passed:  # a refusal does not age
        _fresh(verified, (asked, *deployments), now)
    return verified


def _approved(roles: Mapping[str, str], expected: Expected, about: Approved, trust: Trust) -> None:
    """Refuse a model that a role has not approved; *roles* are given with where they stand."""
    found: tuple[Signed[ApprovalSaid] | Unsound, ...] = ()
    folder, history = expected.approvals, expected.history
    if folder is not None:
        found = signoffs.load(folder, APPROVAL, trust=trust, now=about.now)
        if history is not None:
            found += tuple(
                committed.approvals(
                    folder, folder, history, digest=about.digest, trust=trust, now=about.now
                )
            )
    listed = given(found, about)
    held = assigned(list(roles), listed)
    for role, where in roles.items():
        if role not in held:
            hint = f"aims-gate approval draft {role} --evidence DIR; --approvals names the folder"
            raise TrustError(lacking(role, listed), where=where, hint=hint)


def _local(evaluation: Evaluation) -> None:
    """Refuse evidence from a process that the model's author controls, whoever signed it."""
    origin = evaluation.evaluator.version.get(ORIGIN)
    if origin is not None:
        raise TrustError(
            f"the evidence is local: it was made by {origin!a}, which proves nothing elsewhere",
            hint="run the gate itself, in a job of its own",
        )
    if evaluation.model.annotations.get("reader") == MEMORY:
        raise TrustError(
            "the evidence is about an estimator in memory, which has no files",
            hint="log the model, and run the gate on what was logged",
        )


def _verifier(verified: Verified, signer: TrustedKey) -> None:
    allowed = signer.verifier_ids
    if allowed and verified.verifier_id not in allowed:
        raise TrustError(
            f"key {verified.fingerprint} may not sign as verifier {verified.verifier_id!a}",
            hint=f"the trust file allows {', '.join(allowed)}",
        )


def _times(verified: Verified, signer: TrustedKey) -> None:
    when = f"{verified.at:%Y-%m-%dT%H:%M:%SZ}"
    if signer.valid_from is not None and verified.at < signer.valid_from:
        raise TrustError(f"the evidence of {when} is older than the validity of its key")


def _place(verified: Verified, wanted: str | None, trust: Trust) -> tuple[Deployment, ...]:
    """Check that the evidence is for the place; give what the trust file expects there."""
    evidence = resource.parse(verified.resource_uri, servers=trust.servers, where="resourceUri")
    if trust.servers and evidence.server not in set(trust.servers.values()):
        folder = f'; folders count where a server has the URL "{resource.FOLDERS}"'
        raise TrustError(
            f"the evidence is for a server that the trust file does not name: {evidence.server!a}",
            hint=f"name it under servers{folder if evidence.kind == 'generic' else ''}",
        )
    if wanted is None:
        return trust.demands(evidence, None)
    asked = resource.parse(wanted, servers=trust.servers, where=wanted)
    if not resource.stands_for(evidence, asked, trust.copies):
        raise TrustError(
            f"the evidence is for {evidence}, not for {asked}",
            hint="run the gate for it, or name the server and the copy in the trust file",
        )
    return trust.demands(evidence, asked)


def _model(proof: Proof, model: Manifest | None) -> None:
    if model is None or model.digest == proof.subject:
        return
    try:
        signed = manifest.parse(proof.manifest)
    except SourceError as error:
        raise TrustError(f"is no manifest: {error}", where=MODEL_FILE) from error
    found = manifest.compare(signed, model)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise TrustError(
        f"the model is not the one that was judged: {', '.join(map(str, found[:_SHOWN]))}{more}",
        hint="deploy the files that were judged, or run the gate on these",
    )


def _deployable(expected: Deployment, verified: Verified, evaluation: Evaluation) -> None:
    """Verify evidence by the expectations of the caller or of the trust file."""
    where = expected.where
    if expected.stage and verified.stage != expected.stage:
        raise TrustError(
            f"the evidence is for stage {verified.stage!a}, not for {expected.stage!a}",
            where=where,
            hint="run the gate for this stage"
            + ("" if where else ", or name another one with --stage"),
        )
    _floor(verified, evaluation, expected.floor, where)


def _fresh(verified: Verified, expectations: Iterable[Deployment], now: datetime) -> None:
    """Refuse, after all else has held, what is over or not yet: so stale is never also forged."""
    when = f"{verified.at:%Y-%m-%dT%H:%M:%SZ}"
    if verified.at > now + MAX_SKEW:
        raise StaleError(
            f"the evidence is from the future: {when}", hint="one of the two clocks is wrong"
        )
    for term in verified.terms:
        if now >= term.end:
            raise StaleError(
                f"{term.what} until {term.end:%Y-%m-%dT%H:%M:%SZ}, which is over",
                hint="mend what has ended, and run the gate again",
            )
    for one in expectations:
        if one.max_age is not None and now - verified.at > one.max_age:
            what = f"the evidence of {when} is older than {one.max_age}"
            raise StaleError(what, where=one.where, hint="run the gate again")


def _floor(verified: Verified, evaluation: Evaluation, floor: Ancestor | None, where: str) -> None:
    """Check that the applied policy is the floor, or descends from its very bytes.

    What a policy says of itself, in its text or in comments, proves nothing: only the gate's own
    list of the files that it read counts.
    """
    if floor is None:
        return
    policy = evaluation.policy
    if policy.source is None or not policy.uri:
        raise TrustError("a statement lacks policy.source or policy.uri", where=where)
    own = Ancestor(uri=policy.uri, digest=policy.source.sha256)
    line = (own, *verified.extends)
    alike = [one for one in line if one.uri == floor.uri or _pack(one.uri) == floor.uri]
    if any(one.digest == floor.digest for one in alike):
        return
    if alike:
        digests = ", ".join(one.digest for one in alike)
        what = f"the policy descends from {floor.name!a} with sha256:{digests}"
        hint = "run the gate over the floor in force"
        raise TrustError(f"{what}, not {floor.digest}", where=where, hint=hint)
    known = ", ".join(ascii(one.name) for one in verified.extends) or "nothing"
    raise TrustError(
        f"the policy {verified.policy} does not descend from {floor.name!a}; it extends {known}",
        where=where,
        hint="let the policy extend the floor, and run the gate again",
    )


def _pack(uri: str) -> str:
    """URI of a pack without its version; empty for everything else."""
    return uri.partition("@")[0] if uri.startswith("pack:") else ""


def _strictest(policy: bytes) -> str:
    """Last, and strictest, stage of the policy that was applied."""
    try:
        tree = strict_yaml.parse(policy, POLICY_FILE).tree
    except PolicyError as error:
        raise TrustError(f"the policy cannot be read: {error}") from error
    stages = tree.get("stages", list(STAGES)) if isinstance(tree, dict) else None
    if not isinstance(stages, list) or not stages or not isinstance(stages[-1], str):
        raise TrustError(
            "the policy has no order of stages", where=POLICY_FILE, hint="name one with --stage"
        )
    return stages[-1]
