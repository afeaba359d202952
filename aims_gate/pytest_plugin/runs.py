"""One run of the gate per policy, however many items and workers ask for it.

The first process to take a policy's lock runs the gate and writes what came out; all others read
that. A run is tried once: where its process died half-way, nothing was decided.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydantic

from aims_gate import pipeline
from aims_gate.advice import next_steps, question
from aims_gate.errors import GateError, stack
from aims_gate.harmless import plain
from aims_gate.operations.run import VERIFIER_ID, real_world
from aims_gate.policy.data_roles import roles_of
from aims_gate.pytest_plugin.messages import failure, properties
from aims_gate.pytest_plugin.settings import RequestedPolicy, Settings
from aims_gate.reports import headline, remark
from aims_gate.reports.text import header
from aims_gate.request import Recording, Request
from aims_gate.verdict import Outcome, Result, Verdict

ORIGIN = "pytest"
"""What local evidence says of where it was made; `verify` refuses it for that."""
_LOG = logging.getLogger(__name__)
_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A result as far as items and summaries show it; every text is harmless."""

    rule: str
    outcome: Outcome
    blocking: bool
    reason: str
    failure: str
    """Several lines, for an item that fails."""
    properties: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, result: Result, verdict: Verdict) -> Ruling:
        """The ruling on a rule, from its result."""
        reason = "; ".join(part for part in (plain(result.reason), remark(result)) if part)
        return cls(
            rule=result.rule,
            outcome=result.outcome,
            blocking=result.blocking,
            reason=reason,
            failure=failure(result, verdict),
            properties=tuple(properties(result)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRun:
    """Result of one run of the gate."""

    session: str
    exit_code: int
    """That of `aims-gate run`."""
    error: str = ""
    """Why there is no verdict; empty where there is one."""
    decision: str = ""
    """`passed`, `refused` or `undecided`."""
    headline: str = ""
    about: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    policy_digest: str = ""
    model_digest: str = ""
    evidence: str = ""
    """Evaluation id of the evidence that waits in the session's folder."""

    @classmethod
    def of(cls, verdict: Verdict, session: str) -> PolicyRun:
        """The part of a verdict that items and summaries need."""
        asked = question(verdict)
        return cls(
            session=session,
            exit_code=verdict.exit_code,
            decision=verdict.decision.value,
            headline=headline(verdict),
            about=tuple(header(verdict, _WIDTH)),
            advice=(*next_steps(verdict), *([f"ask why: {asked}"] if asked else [])),
            rulings=tuple(Ruling.of(result, verdict) for result in verdict.results),
            policy_digest=verdict.policy.digest,
            model_digest=verdict.model.digest,
            evidence="" if verdict.evidence is None else verdict.evidence.id,
        )


class Runs:
    """The runs of a session."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._known: dict[str, PolicyRun] = {}

    def result(self, policy: RequestedPolicy) -> PolicyRun:
        """Run of *policy*: the existing one, else a new one."""
        if policy.name in self._known:
            return self._known[policy.name]
        folder = self.folder(policy)
        folder.mkdir(mode=0o700, exist_ok=True)
        with _locked(folder / "lock"):
            run = self.found(policy)
            started = folder / "started"
            if run is None and started.exists():
                what = "the process that measured it ended before it had decided"
                run = PolicyRun(session=self.settings.session, exit_code=3, error=what)
            elif run is None:
                started.touch()
                run = _measured(policy, self.settings, folder / "evidence")
                _write(folder / "run.json", run)
        self._known[policy.name] = run
        return run

    def found(self, policy: RequestedPolicy) -> PolicyRun | None:
        """Run of *policy* if this session has made it, else None."""
        if policy.name in self._known:
            return self._known[policy.name]
        try:
            text = (self.folder(policy) / "run.json").read_bytes()
            run = pydantic.TypeAdapter(PolicyRun).validate_json(text, strict=True)
        except (OSError, pydantic.ValidationError):
            return None
        return run if run.session == self.settings.session else None

    def folder(self, policy: RequestedPolicy) -> Path:
        """Name the folder of a policy below the session's."""
        return Path(self.settings.folder) / str(self.settings.policies.index(policy))


def _measured(policy: RequestedPolicy, settings: Settings, evidence: Path) -> PolicyRun:
    recording = None
    if settings.evidence is not None:
        recording = Recording(
            signer=None, verifier_id=VERIFIER_ID, origin=ORIGIN, out=evidence, publish=False
        )
    request = Request(
        policy=policy.name,
        model=settings.model,
        stage=settings.stage,
        data=roles_of(settings.data),
        recording=recording,
    )
    session = settings.session
    try:
        with quiet(), contextlib.chdir(settings.start):
            verdict = pipeline.run(request, real_world())
    except GateError as error:
        told = "\n".join(map(plain, str(error).splitlines()))
        return PolicyRun(session=session, exit_code=error.exit_code, error=told)
    except Exception as error:  # noqa: BLE001  # every crash is a run without a verdict
        _LOG.error("the gate crashed\n%s", stack(error))
        what = f"the gate crashed ({type(error).__name__}); nothing was decided: see the log"
        return PolicyRun(session=session, exit_code=3, error=what)
    if verdict.policy.digest != policy.digest:
        what = "the policy changed while the tests ran; nothing was decided"
        return PolicyRun(session=session, exit_code=3, error=what)
    return PolicyRun.of(verdict, session)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Reset warning filters during a run: `-W error` of the session must not decide."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock that the system releases if this process dies."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, run: PolicyRun) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(pydantic.TypeAdapter(PolicyRun).dump_json(run))
    beside.replace(path)
