"""What people signed about a model: approvals and waivers, from beside the policy.

They lie where the policy lies, and so come from the protected branch like it; the trust file beside
them says whose signatures count, unless another is named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aims_gate.attest.signers import Signer
from aims_gate.attest.trust import Trust, TrustedKey
from aims_gate.errors import TrustError, UsageError
from aims_gate.facts import Approval
from aims_gate.governance.kinds import FOLDERS
from aims_gate.plan import Task
from aims_gate.policy.base import PolicyBase
from aims_gate.policy.model import Policy
from aims_gate.regular import itself
from aims_gate.signoffs import APPROVALS, WAIVERS
from aims_gate.sources.subject import PastEvaluation, Subject
from aims_gate.verdict import Result
from aims_gate.waivers import Waiver

if TYPE_CHECKING:  # most policies have nothing signed beside them
    from aims_gate.signoffs.committed import CommitHistory

_SIGNED = (WAIVERS, APPROVALS, *FOLDERS.values())
"""Folders beside the policy that hold what people sign."""
TRUST_FILE = "trust.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """The folder that people sign into, and who among them may."""

    folder: Path | None
    """The policy's; None where it comes from a pack, which nobody signs beside."""
    at: Callable[[Path], Path]
    """Where a file or folder is read: itself, or its copy from the policy base."""
    trust: Trust | None
    gate: TrustedKey | None
    """The key that signs the evidence; None where none does."""
    history: CommitHistory | None
    """Of the policy's repository, in which approvals may be commits; None where it is in none."""
    now: datetime

    @classmethod
    def beside(
        cls,
        policy: Policy,
        signer: Signer | None,
        *,
        trust: Path | None,
        base: PolicyBase | None,
        believing: bool,
        now: datetime,
        environ: Mapping[str, str],
    ) -> Oversight:
        """Read who is trusted, where there is anything to be trusted.

        With a *base* all of it is taken from there, a trust file in the repository included.
        *believing* where a signature is asked for of which nothing lies beside the policy.

        Raises:
            UsageError: The trust file that was named cannot be read; PolicyError if it is wrong.
        """
        at = itself if base is None else base.at
        folder = Path(policy.folder) if policy.folder else None
        path = trust
        if path is None and folder is not None and at(folder / TRUST_FILE).exists():
            path = folder / TRUST_FILE
        signed = believing or (
            folder is not None and any(lies_there(folder / name, at) for name in _SIGNED)
        )
        signed = signed or bool(policy.records_system or policy.records_org)
        known = None
        if path is not None and (signed or trust is not None):
            from aims_gate.attest import trust_file
            from aims_gate.evidence.revocations import FOLDER, unrevoked

            known = unrevoked(trust_file.load(path, at), at(path.parent / FOLDER), now=now)
        return cls(
            folder=folder,
            at=at,
            trust=known,
            gate=_gate(signer, known),
            history=_history(folder, base, environ) if known is not None else None,
            now=now,
        )

    def signature(self, policy: Policy) -> Mapping[str, bytes]:
        """Files of the statement that signs the policy, under their names beside evidence.

        Raises:
            UsageError: It is not signed, or not by somebody who may.
        """
        from aims_gate.attest.sigstore_bundle import bundle_file
        from aims_gate.attest.statement import envelope_file, statement_file
        from aims_gate.attest.statement_files import read_file
        from aims_gate.evidence.layout import SIGNATURE
        from aims_gate.evidence.signed_policy import open_policy, statement_name

        hint = "aims-gate policy sign POLICY --key KEY, by a key with the role policy"
        if self.folder is None:
            raise UsageError("a pack is not signed", hint="write a policy that extends it")
        if self.trust is None:
            raise UsageError("no trust file says who may sign policies", hint=hint)
        name = statement_name(policy)
        kept = (statement_file, envelope_file)
        places = [self.at(self.folder / file(name)) for file in (*kept, bundle_file)]
        folder = places[0].parent
        try:
            open_policy(
                folder,
                name,
                source=policy.source_digest,
                resolved=policy.digest,
                trust=self.trust,
                now=self.now,
            )
            return {file(SIGNATURE): read_file(folder, file(name)) for file in kept}
        except TrustError as error:
            what = f"the policy {policy.uri} is not signed by somebody who may: {error}"
            raise UsageError(what, hint=hint) from error

    def evaluations(
        self, subject: Subject, environ: Mapping[str, str]
    ) -> Callable[[str], tuple[PastEvaluation, ...]] | None:
        """List the signed evaluations of the registered model; None where no registry keeps any."""
        if not subject.model.registered:
            return None
        from aims_gate.evidence.evaluation_history import HistoryQuestion

        name = subject.model.registered
        return HistoryQuestion(
            name=name, trust=self.trust, now=self.now, environ=environ
        ).evaluations

    def approvals(self, subject: Subject) -> tuple[Approval, ...]:
        """What people signed about the model, counting or not."""
        if not self._signed(APPROVALS) or self.folder is None:
            return ()
        from aims_gate.signoffs import approvals, committed, kinds
        from aims_gate.signoffs import folder as signoffs

        folder = self.folder / APPROVALS
        place, digest, now = self.at(folder), subject.model.digest, self.now
        found = signoffs.load(place, kinds.APPROVAL, trust=self.trust, now=now)
        if self.history is not None and self.trust is not None:
            found += tuple(
                committed.approvals(
                    folder, place, self.history, digest=digest, trust=self.trust, now=now
                )
            )
        about = approvals.Approved(
            name=subject.model.name,
            digest=digest,
            gate=self.gate,
            authors=self._authors(subject),
            now=now,
        )
        return approvals.given(found, about)

    def waivers(
        self,
        subject: Subject,
        policy: Policy,
        tasks: Iterable[Task],
        uses: Callable[[str], int],
    ) -> tuple[Mapping[str, Waiver], tuple[Result, ...]]:
        """Waivers in force by rule, and a result for each one that does not count."""
        if not self._signed(WAIVERS) or self.folder is None:
            return {}, ()
        from aims_gate import waiver_terms
        from aims_gate.signoffs import folder as signoffs
        from aims_gate.signoffs import kinds

        folder = self.at(self.folder / WAIVERS)
        about = waiver_terms.WaiverContext(
            model=subject.model,
            policy=policy,
            tasks={task.rule.id: task for task in tasks},
            authors=self._authors(subject),
            gate=self.gate,
            uses=uses,
            now=self.now,
        )
        return waiver_terms.in_force(
            signoffs.load(folder, kinds.WAIVER, trust=self.trust, now=self.now), about
        )

    def _signed(self, name: str) -> bool:
        """Tell whether the folder *name* is there, or something in its place."""
        return self.folder is not None and os.path.lexists(self.at(self.folder / name))

    def _authors(self, subject: Subject) -> tuple[str, ...]:
        """Whoever made the model, as far as MLflow and git say: a claim, which can only forbid."""
        run = subject.run
        if run is None:
            return ()
        made: tuple[str, ...] = ()
        if self.history is not None and run.commit:
            from aims_gate.signoffs import committed

            made = committed.author(self.history.repository, run.commit)
        return tuple(filter(None, (run.user, *made)))


def lies_there(path: Path, at: Callable[[Path], Path]) -> bool:
    """Tell whether a file or folder is there, or anything in its place, such as a link."""
    try:
        return os.path.lexists(at(path))
    except UsageError:
        return True  # the base has something there that is not read


def _history(
    folder: Path | None, base: PolicyBase | None, environ: Mapping[str, str]
) -> CommitHistory | None:
    from aims_gate.signoffs.committed import CommitHistory

    if base is not None:
        return CommitHistory(repository=base.repository, commit=base.commit)
    return None if folder is None else CommitHistory.around(folder, environ)


def _gate(signer: Signer | None, trust: Trust | None) -> TrustedKey | None:
    """Find whose key signs; one that nobody is named for is a person of its own."""
    if signer is None:
        return None
    known = () if trust is None else trust.keys
    unknown = TrustedKey(key=signer.key, person=signer.key.fingerprint, roles=frozenset())
    return next((one for one in known if one.key == signer.key), unknown)
