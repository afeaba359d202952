"""Waivers, approvals and break-glass orders as people handle them: draft, sign.

A draft is YAML that a person completes and colleagues review; signing makes a statement of it that
only the approver's key can make, beside the draft. The gate reads signed files only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aims_gate.attest import trust_file
from aims_gate.attest.envelope import sign
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import StatementKind, encode
from aims_gate.attest.trust import KeyRole, TrustedKey
from aims_gate.documents import Kind
from aims_gate.documents.strict_yaml import MAX_BYTES, parse
from aims_gate.errors import RecordError, TrustError, UsageError, near
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.evidence.revocations import FOLDER, unrevoked
from aims_gate.facts import NoValue
from aims_gate.operations.judged import Judged, judged
from aims_gate.policy.resolve import load as load_policy
from aims_gate.policy.resolved_yaml import inline, rule_digest
from aims_gate.regular import create, read_regular
from aims_gate.signoffs import kinds
from aims_gate.signoffs.folder import ENDING
from aims_gate.signoffs.grammar import (
    APPROVAL,
    BREAK_GLASS,
    BREAK_GLASS_DAYS,
    MODEL_DAYS,
    VALUED,
    WAIVER,
    ApprovalText,
    BreakGlassText,
    WaiverText,
    predicate_of,
)

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9@._-]+")
KINDS: Mapping[str, tuple[Kind[Any], StatementKind[Any]]] = {
    WAIVER.name: (WAIVER, kinds.WAIVER),
    APPROVAL.name: (APPROVAL, kinds.APPROVAL),
    BREAK_GLASS.name: (BREAK_GLASS, kinds.BREAK_GLASS),
}
Text = WaiverText | ApprovalText | BreakGlassText


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the person who requests a signature says."""

    evidence: Path
    """The evidence directory of the run that is meant."""
    requested_by: str
    """Never who approves."""
    why: str = ""
    """The justification; empty leaves a TODO that cannot be signed."""
    expires: datetime | None = None
    now: datetime


def draft_waiver(
    rule: str,
    asked: Asked,
    *,
    limit: float | None = None,
    pattern: str = "",
    uses: int | None = None,
) -> str:
    """Write the draft of a waiver for *rule*, from what the gate found.

    Args:
        rule: Id of a rule that refused.
        asked: By whom, why, and until when: 30 days, or as many as the policy allows, if left out.
        limit: How far the value may go; None is the worst value that was found.
        pattern: Registered names, later versions included; empty for these bytes only.
        uses: With *pattern*, how many evaluations may rest on it.

    Raises:
        UsageError: There is no such evidence, or the rule did not refuse.
    """
    found = judged(asked.evidence)
    policy = load_policy(asked.evidence / POLICY_FILE)
    rules = {one.id: one for one in policy.rules}
    if rule not in rules or rule not in found.results:
        raise UsageError(f"the policy has no rule {rule!r}", hint=near(rule, rules))
    result = found.results[rule]
    outcome = str(result["raw_outcome"])
    if outcome not in {*VALUED, "MISSING", "STALE"}:
        hint = "an ERROR is mended, not waived" if outcome == "ERROR" else "it needs no waiver"
        raise UsageError(f"{rule} ended {outcome}, which no waiver covers", hint=hint)
    days = min(30.0, policy.waivers.max_days, MODEL_DAYS if pattern else 30.0)
    ends = asked.expires or asked.now + timedelta(days=days)
    lines = [
        *_opening("Waiver", "WVR", asked.now),
        f"rule: {rule}",
        *_model(found, pattern),
        f"rule_sha256: {rule_digest(rules[rule], policy)}",
        f"covers: [{', '.join(_covers(result, outcome))}]",
        *_limit(result, limit, outcome),
        *([f"uses: {uses or 1}"] if pattern else []),
        *_closing(asked, ends),
    ]
    return "\n".join(lines) + "\n"


def draft_approval(role: str, asked: Asked) -> str:
    """Write the draft of an approval in a role, such as `validator`, of the judged model.

    It expires after a year unless *until* says otherwise.
    """
    found = judged(asked.evidence)
    ends = asked.expires or asked.now + timedelta(days=365)
    lines = [
        *_opening("Approval", "APR", asked.now),
        f"role: {inline(role)}",
        *_model(found, ""),
        f"evidence: {found.summary}  # vsa.statement.json of what was looked at",
        *_closing(asked, ends),
    ]
    return "\n".join(lines) + "\n"


def _opening(kind: str, prefix: str, now: datetime) -> Iterator[str]:
    yield from ("apiVersion: aims-gate/v1", f"kind: {kind}")
    # to the millisecond, so that drafts of two people or of two pasted commands take two numbers
    yield f"id: {prefix}-{now.astimezone(UTC):%Y%m%d%H%M%S%f}"[:-3]


def _model(found: Judged, pattern: str) -> Iterator[str]:
    if pattern:
        yield f"model: {{name: {inline(pattern)}, scope: model}}  # later versions too"
        return
    yield "model:"
    yield f"  name: {inline(found.name)}"
    if found.version:
        yield f"  version: {inline(found.version)}"
    yield f"  sha256: {found.digest}"


def _covers(result: Mapping[str, Any], outcome: str) -> Iterator[str]:
    yield outcome
    lacks = {one["lack"] for one in result["statistics"] if one["judged"]}
    if outcome == "FAIL" and NoValue.INSUFFICIENT in lacks:
        yield from ("INSUFFICIENT", "MISSING")  # some cells are too small to have a value


def _limit(result: Mapping[str, Any], limit: float | None, outcome: str) -> Iterator[str]:
    judged = [one for one in result["statistics"] if one["judged"]]
    values = [one["value"] for one in judged if isinstance(one["value"], float | int)]
    lacking = any(one["lack"] == NoValue.INSUFFICIENT for one in judged)
    if outcome not in VALUED or (outcome == "INSUFFICIENT" and lacking):
        if limit is not None:
            raise UsageError(f"a rule that ended {outcome} has no value to limit")
        return
    threshold = result["threshold"] or {}
    sides = {"at_least": min, "at_most": max}
    own = {side: threshold[side] for side in sides if threshold.get(side) is not None}
    yield "limit:  # past this the rule refuses all the same; today's worst value unless you say"
    for side, at in own.items():
        worst = sides[side]
        if limit is None:
            yield f"  {side}: {worst(values)}"
        else:  # of two sides it is about the one that it is past
            yield f"  {side}: {limit if len(own) == 1 else worst(limit, at):.12g}"


def _closing(asked: Asked, ends: datetime) -> Iterator[str]:
    yield f"requested_by: {inline(asked.requested_by)}"
    todo = "TODO: why this may be, what is done meanwhile, and what ends it"
    yield f"justification: {inline(asked.why or todo)}"
    yield f"expires: {ends.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """What was signed, and where it went."""

    text: Text
    person: str
    path: Path


def approve(path: Path, signer: Signer, trust: Path, *, now: datetime) -> SignedOff:
    """Sign a draft as the person whose key *signer* is; the statement goes beside the draft.

    Raises:
        UsageError: The draft is wrong or not completed, has ended, or the key may not approve it.
        RecordError: The signed file cannot be written, or is there already.
    """
    text, tree = read_draft(path)
    admitted = admitted_approver(trust, signer, now)
    if now >= text.expires:
        raise UsageError("the draft has ended already", where=str(path), hint="give it a new end")
    if not isinstance(text, ApprovalText) and admitted.is_called(text.requested_by):
        word = "waiver" if isinstance(text, WaiverText) else "break-glass order"
        what = f"{admitted.person} asks for this {word} and may not approve it"
        raise UsageError(what, where=str(path), hint="let somebody else sign")
    if isinstance(text, BreakGlassText) and text.expires > now + timedelta(days=BREAK_GLASS_DAYS):
        hint = f"a break-glass order holds for {BREAK_GLASS_DAYS} days at most"
        raise UsageError("the draft ends too late", where=str(path), hint=hint)
    if isinstance(text, ApprovalText) and text.role not in (admitted.approves or (text.role,)):
        roles = ", ".join(admitted.approves)
        raise UsageError(f"{admitted.person} may approve as {roles}, not as {text.role}")
    issued = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    predicate = predicate_of(tree, approved_by=admitted.person, issued=issued)
    payload = encode(kinds.statement_of(KINDS[text.kind][1], predicate))
    target = path.with_name(f"{text.id}.{name_in_file(admitted.person)}{ENDING}")
    create_file(target, sign(payload, signer))
    return SignedOff(text=text, person=admitted.person, path=target)


def save(text: str, out: Path | None, folder: Path) -> Path:
    """Write a draft to *out*, or under its id into *folder*; never over another file."""
    path = out or folder / f"{parse(text.encode(), 'draft').tree['id']}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"cannot make the folder: {error.strerror}", where=str(path)) from error
    create_file(path, text.encode())
    return path


def name_in_file(person: str) -> str:
    """A person's name as a part of a file's."""
    return _NOT_IN_NAME.sub("-", person).strip(".-")[:60] or "approver"


def create_file(path: Path, data: bytes) -> None:
    """Write a new file, never over another: UsageError; RecordError if it cannot be written."""
    try:
        create(path, data)
    except FileExistsError:
        hint = "remove it, or name another file"
        raise UsageError(
            "the file exists, and is not overwritten", where=str(path), hint=hint
        ) from None
    except OSError as error:
        raise RecordError(f"cannot be written: {error.strerror}", where=str(path)) from error


def read_draft(path: Path) -> tuple[Text, Mapping[str, Any]]:
    """Read a draft of any kind, with its keys as written; UsageError if it is none."""
    try:
        data = read_regular(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the draft: {reason}", where=str(path)) from error
    tree = parse(data, path.name).tree
    word = tree.get("kind") if isinstance(tree, dict) else None
    if word not in KINDS:
        hint = "aims-gate waiver draft RULE --evidence DIR writes one"
        raise UsageError("this is no draft of a waiver or an approval", where=str(path), hint=hint)
    document, text = KINDS[str(word)][0].read(data, path.name)
    if "issued" in document.tree:
        raise UsageError("issued is stated by the signature", where=str(path), hint="leave it out")
    return text, document.tree


def admitted_approver(path: Path, signer: Signer, now: datetime) -> TrustedKey:
    """The approver whose key signs, by a trust file; UsageError if the key may not."""
    trust = unrevoked(trust_file.load(path), path.parent / FOLDER, now=now)
    try:
        admitted = trust.admit(signer.key, role=KeyRole.APPROVER, at=now, where=trust.file)
        admitted.refuse_frozen(now)
    except TrustError as error:
        hint = "an approver's public key stands in the trust file with roles: [approver]"
        raise UsageError(error.what, where=trust.file, hint=hint) from error
    return admitted
