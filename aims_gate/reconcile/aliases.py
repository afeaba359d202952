"""A guarded alias that moved: stays where it is proven, or is put back; one that stands is proven.

Only a new move is ever put back, and only for a refused, forged or missing verdict on it. What is
stale or undecided, and what cannot be read, moves nothing: a person is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from aims_gate.errors import UndecidedError
from aims_gate.inbox.contract import LiveVersion
from aims_gate.reconcile import evaluate
from aims_gate.reconcile.case import PLACES, Act, Case, places
from aims_gate.reconcile.proof import FAILS, HOLDS, ProofState, VersionProof, prove_version
from aims_gate.reconcile.put_back import PutBack
from aims_gate.reconcile.signed_moves import signer_of
from aims_gate.registry.entities import Version


def judge_alias(
    case: Case, alias: str, known: LiveVersion | None, number: str | None, *, first: bool
) -> float | None:
    """Judge where a guarded alias is now.

    Args:
        case: The judgement.
        alias: The alias.
        known: Where it was when it was last looked at; None if it was never seen.
        number: The version that it points at; None if it is not there.
        first: The receiver never looked at this model: what is live is recorded, as it is.

    Returns:
        After how many seconds to look again; None if all is done.
    """
    known = PutBack(case=case, alias=alias, known=known).settle(number)
    look = _Look(case=case, alias=alias, known=known)
    again = None
    if number is None:
        look.gone()
        return again
    version = case.version(number)
    if known is None and first:
        look.first(version)
    elif known is None or (known.version, known.source) != (number, version.source):
        again = look.moved(version)
    else:
        look.still(version, known)
    return again


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One guarded alias of the model that is judged, and where it was."""

    case: Case
    alias: str
    known: LiveVersion | None

    def gone(self) -> None:
        known = self.known
        if known is None or not known.version:
            return
        reason, occasion = "somebody took the alias away", self._occasion("")
        self.case.act(Act.GONE, occasion, alias=self.alias, frm=known.version, reason=reason)
        self.case.alert(Act.GONE, occasion, alias=self.alias, reason=reason)
        self.case.stands(Version(name="", version="", source=""), self.alias)

    def first(self, version: Version) -> None:
        # whatever comes of proving it, the next look is no first one
        self.case.stands(version, self.alias)
        proof = prove_version(self.case, version.version, alias=self.alias)
        reason = f"was live when first looked at; {proof.reason}"
        self.case.act(
            Act.SEEN,
            version.source,
            alias=self.alias,
            to=version.version,
            reason=reason,
            evidence=proof.evidence,
            who=signer_of(self.case, self.alias, version.version, since=0),
        )
        self._stands(version, proof)
        if proof.state not in HOLDS:
            self._unproven(version, proof)

    def still(self, version: Version, known: LiveVersion) -> None:
        """Prove what stands: it is never moved, and is unproven until it holds again."""
        proof = prove_version(self.case, version.version, alias=self.alias)
        self._returned(version, proof)
        if proof.state not in HOLDS:
            self._unproven(version, proof)
        if (proof.sha256, proof.evidence) != (known.sha256, known.evidence):
            self._stands(version, proof)

    def _returned(self, version: Version, proof: VersionProof) -> None:
        """Record that somebody moved it back, where it was seen elsewhere and not put back."""
        past = [one for one in self.case.past(self.alias) if one.kind in {*PLACES, Act.REVERT}]
        if not past or past[-1].kind != Act.REVERT:
            return
        self.case.act(
            Act.MOVED,
            past[-1].id,
            alias=self.alias,
            frm=past[-1].from_version,
            to=version.version,
            reason=f"somebody moved it back; {proof.reason}",
            evidence=proof.evidence,
            who=signer_of(self.case, self.alias, version.version, since=past[-1].at),
        )

    def moved(self, version: Version) -> float | None:
        proof = prove_version(self.case, version.version, alias=self.alias)
        if proof.state is ProofState.MISSING and self.case.guarded.policy:
            proof = self._evaluated(version)
        if proof.state in HOLDS:
            self._accept(version, proof)
            return None
        if proof.state in FAILS:
            back = PutBack(case=self.case, alias=self.alias, known=self.known)
            done = back.put_back(version, proof, occasion=self._occasion(version.version))
            if done.settled:
                return done.again
            proof = VersionProof(state=proof.state, reason=f"{proof.reason}; {done.why}")
        self._accept(version, proof)
        self._unproven(version, proof)
        return None

    def _evaluated(self, version: Version) -> VersionProof:
        """Run the gate where there is no evidence; UndecidedError if there is none then either."""
        ended = evaluate.evaluate(self.case, version.version)
        proof = prove_version(self.case, version.version, alias=self.alias)
        if proof.state is ProofState.MISSING:
            what = f"the gate could not decide (exit code {ended.code}): {ended.words}"
            raise UndecidedError(what, where=self.case.uri(version.version))
        self.case.act(
            Act.EVALUATED,
            version.source,
            self._occasion(version.version),
            alias=self.alias,
            to=version.version,
            reason=proof.reason,
            evidence=proof.evidence,
        )
        return proof

    def _accept(self, version: Version, proof: VersionProof) -> None:
        """Record that the alias stays where it was moved to."""
        since = self.case.since(self.alias)
        self.case.act(
            Act.MOVED,
            version.source,
            self._occasion(version.version),
            alias=self.alias,
            frm=self._was,
            to=version.version,
            reason=proof.reason,
            evidence=proof.evidence,
            who=signer_of(self.case, self.alias, version.version, since=since),
        )
        self._stands(version, proof)

    def _stands(self, version: Version, proof: VersionProof) -> None:
        self.case.stands(version, self.alias, sha256=proof.sha256, evidence=proof.evidence)

    def _unproven(self, version: Version, proof: VersionProof) -> None:
        """Tell it once for each move of the alias to it, and for each state that it is in."""
        reason = f"{self.alias} is at version {version.version}, {proof.state}: {proof.reason}"
        about = (version.source, self.case.moves(self.alias), proof.state)
        self.case.alert(*about, alias=self.alias, to=version.version, reason=reason)

    @property
    def _was(self) -> str:
        return self.known.version if self.known else ""

    def _occasion(self, to: str) -> int:
        """How many times the alias moved before this move, which may be entered already."""
        past = list(places(self.case.past(self.alias)))
        entered = bool(past) and (past[-1].from_version, past[-1].to_version) == (self._was, to)
        return len(past) - entered
