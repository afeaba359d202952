"""Promote a model version: the one door to production.

The bytes in the registry are hashed, their evidence is verified against what the trust file
demands, who moves the alias why and in whose place is signed, and only then the alias moves
(`sinks.alias` says how). At the end everything is verified once more: bytes that were exchanged in
between, and revocations of that moment, take the move back.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aims_gate.attest import resource, trust_file
from aims_gate.attest.signers import Sealer
from aims_gate.attest.statement import Statement, envelope_file
from aims_gate.attest.statement_files import read_statement, write_statement
from aims_gate.attest.trust import KeyRole, Trust
from aims_gate.errors import RecordError, TrustError, UsageError
from aims_gate.evidence import layout
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.predicates import FORM, PROMOTION
from aims_gate.operations.evidence import Copied, fetch
from aims_gate.operations.promotion import Promoted, Promoting, named
from aims_gate.operations.promotion_history import History
from aims_gate.operations.verify import Expectation, prove
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.uris import AliasTarget, VersionTarget, resource_uri
from aims_gate.sinks.alias import PROMOTE, ROLLBACK, Alias, Standing, statement_name
from aims_gate.sinks.beside import store
from aims_gate.sources.mlflow.evidence import PROMOTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A version whose bytes and evidence hold."""

    version: str
    copied: Copied
    verified: Verified


def promote(how: Promoting, *, now: Callable[[], datetime]) -> Promoted:
    """Let an alias point at a version whose evidence holds, or say why not.

    Raises:
        UsageError: (2) An argument is wrong, there is no reason or no greatest age, no trust file,
            or no evidence.
        TrustError: (4) Evidence or trust does not hold, or the signer may not promote. Where it
            holds no more after the move, the alias is back where it was.
        SourceError: (3) MLflow failed, or another promoter was at work (`CollisionError`).
        RecordError: (3) The statement could not be signed or stored.
    """
    return _Door.open(how, now).promote()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    how: Promoting
    now: Callable[[], datetime]
    trust: Trust
    registry: Registry
    alias: Alias
    asked: str
    """The version that was asked for; empty for a rollback."""

    @classmethod
    def open(cls, how: Promoting, now: Callable[[], datetime]) -> _Door:
        if not how.why.strip():
            hint = "--why says it to whoever looks for it later, such as --why 'release 8, CHG-12'"
            raise UsageError("there is no reason", hint=hint)
        if how.rollback and how.evidence is not None:
            hint = "leave --evidence out: a rollback finds it by the version's tags"
            raise UsageError("evidence was named for a rollback", hint=hint)
        name, asked = named(how)
        trust = trust_file.load(how.trust)
        if not isinstance(how.signer, Sealer):  # whose key is known once it has signed
            trust.admit(how.signer.key, role=KeyRole.GATE, at=now(), where="--key")
        registry = open_registry(how.environ, trust.sources_allow)
        if isinstance(asked, AliasTarget):
            found = registry.aliases(name).get(asked.alias)
            if found is None:
                what = f"the model has no alias {asked.alias!a}"
                raise UsageError(what, where=how.model, hint="name a version: models:/NAME/VERSION")
            asked = VersionTarget(name=name, version=found)
        alias = Alias(registry=registry, name=name, alias=how.alias)
        version = "" if asked is None else asked.version
        return cls(how=how, now=now, trust=trust, registry=registry, alias=alias, asked=version)

    def promote(self) -> Promoted:
        standing = self._look()
        told: list[str] = []
        with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
            if self.how.rollback:
                found = self._earlier(standing, Path(private), told)
            else:
                self._limited()
                found = self._asked(standing, Path(private) / "0")
            told += self.alias.mend(standing, found.version, now=self.now(), dry=self.how.dry_run)
            said = Promoted(
                verified=found.verified,
                version=self._uri(found.version),
                previous=standing.current,
                place=found.copied.place,
                told=tuple(told),
            )
            if not found.verified.passed or self.how.dry_run:
                return said
            if standing.current == found.version:
                return self._stands(found, self._past(standing, Path(private), told), said)
            return self._moved(found, standing, said)

    def _asked(self, standing: Standing, private: Path) -> _Checked:
        try:
            return self._checked(self.asked, private)
        except TrustError as error:
            if standing.current == self.asked:
                told = f"alias {self.alias.alias!a} points at it now: take it back with --rollback"
                error.hint = f"{told}; {error.hint}".rstrip("; ")
            raise

    def _look(self) -> Standing:
        try:
            return self.alias.look()
        except NotFoundError as error:
            where = f"models:/{self.alias.name}"
            raise UsageError(f"there is no such model: {error.what}", where=where) from error

    def _uri(self, version: str) -> str:
        return f"models:/{self.alias.name}/{version}"

    def _limited(self) -> None:
        """Refuse evidence of any age: neither the command nor the trust file limits it."""
        place = resource_uri(self.alias.name, self.asked, self.registry.server)
        wanted = resource.parse(place, servers=self.trust.servers, where=place)
        demands = self.trust.demands(wanted, wanted)
        if self.how.max_age is None and not any(one.max_age for one in demands):
            hint = "give --max-age 7d, or max_age under deploy: in the trust file"
            raise UsageError("nothing says how old the evidence may be", hint=hint)

    def _checked(self, version: str, private: Path) -> _Checked:
        """Verify a version: its bytes as they are in the registry now, and its evidence."""
        how, uri = self.how, self._uri(version)
        private.mkdir()
        evidence = uri if how.rollback or how.evidence is None else how.evidence
        copied = fetch(evidence, private, stage=how.stage, environ=how.environ, trust=self.trust)
        question = Expectation(
            evidence=private,
            trust=how.trust,
            model=uri,
            stage=how.stage,
            policy_digest=how.policy_digest,
            floor=how.floor,
            max_age=how.max_age,
            deployed_before=how.rollback,
            approvals=how.approvals,
            revocations=how.revocations,
            environ=how.environ,
        )
        return _Checked(version=version, copied=copied, verified=prove(question, now=self.now()))

    def _stands(self, found: _Checked, past: History, said: Promoted) -> Promoted:
        """Finish what this version's own promoter left, where the alias points at it already."""
        version, standing = found.version, past.standing
        pointer = standing.intents.get(version)
        if pointer is not None and past.said(version, pointer) is not None:
            self.alias.finish(version, pointer)
            past.told.append("the move was there already, and unfinished: its promoter was killed")
        elif pointer is None and version in standing.promotions:
            past.told.append("it points there already: nothing was done")
        else:
            statement, pointer = self._signed(found, None)
            self.alias.finish(version, pointer)
            past.told.append("it pointed there already, and nobody had signed for it: signed now")
            said = replace(said, statement=statement)
        return replace(said, told=tuple(past.told))

    def _moved(self, found: _Checked, standing: Standing, said: Promoted) -> Promoted:
        statement, pointer = self._signed(found, standing.current)
        told = self.alias.move(found.version, standing, pointer)
        try:
            self._again(found)
        except (TrustError, UsageError) as error:
            self.alias.back(found.version, standing)
            hint = f"the alias is back where it was; {error.hint}".rstrip("; ")
            what = f"changed while it was promoted: {error.what}"
            raise TrustError(what, where=error.where or said.version, hint=hint) from error
        self.alias.finish(found.version, pointer, left=standing.current)
        return replace(said, statement=statement, told=(*said.told, *told), moved=True)

    def _again(self, found: _Checked) -> None:
        """Verify once more, after the move: what was hashed before may have been exchanged."""
        with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
            now = self._checked(found.version, Path(private) / "again").verified
        if now.digest != found.verified.digest or not now.passed:
            what = "the version has other evidence than a moment ago"
            raise TrustError(what, where=self._uri(found.version))

    def _signed(self, found: _Checked, previous: str | None) -> tuple[Path, str]:
        """Sign what is about to happen, keep it here, and store it beside the evidence."""
        at, action = self.now(), ROLLBACK if self.how.rollback else PROMOTE
        verified = found.verified
        predicate = {
            "action": action,
            "alias": self.alias.alias,
            "stage": verified.stage,
            "resourceUri": self._place(found.version),
            "previous": previous,
            "evidence": {"uri": found.copied.place, "digest": {"sha256": verified.digest}},
            "why": self.how.why,
            "promotedOn": at.strftime(FORM),
        }
        statement = Statement(
            predicate_type=PROMOTION.predicate_type,
            subject=verified.model_digest,
            predicate=predicate,
        )
        evaluation = found.copied.place.rpartition("/")[2]
        usual = layout.directory(
            layout.ROOT, model_digest=verified.model_digest, evaluation=evaluation
        )
        folder = self.how.out or usual / PROMOTIONS
        name = statement_name(at, action, secrets.token_hex(4))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"cannot be made: {error.strerror}", where=str(folder)) from error
        write_statement(folder, name, PROMOTION, statement, self.how.signer)
        read_statement(folder, name, PROMOTION, trust=self.trust, now=at)
        pointer = store(
            self.registry, found.copied.place, folder / name, PROMOTIONS, self.how.environ
        )
        return folder / envelope_file(name), pointer

    def _place(self, version: str) -> str:
        return resource_uri(self.alias.name, version, self.registry.server)

    def _past(self, standing: Standing, private: Path, told: list[str]) -> History:
        return History(
            standing=standing,
            alias=self.alias,
            trust=self.trust,
            environ=self.how.environ,
            now=self.now(),
            private=private,
            told=told,
        )

    def _earlier(self, standing: Standing, private: Path, told: list[str]) -> _Checked:
        """Find the last version before the present one whose evidence holds today."""
        if standing.current is None:
            what = f"the model has no alias {self.alias.alias!a} to take back"
            raise UsageError(what, where=f"models:/{self.alias.name}")
        past = self._past(standing, private, told)
        for number, version in enumerate(past.versions()):
            try:
                found = self._checked(version, private / str(number))
            except (TrustError, UsageError, NotFoundError) as error:
                told.append(f"version {version} was passed over: {error.what}")
                continue
            if found.verified.passed:
                return found
            told.append(f"version {version} was passed over: its evidence is a refusal")
        passed = "".join(f"; {one}" for one in told)
        what = f"no version before {standing.current} verifies{passed}"
        raise TrustError(what, where=f"models:/{self.alias.name}")
