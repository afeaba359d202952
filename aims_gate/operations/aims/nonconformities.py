"""Nonconformities: where a control failed in service; a refused candidate is the control at work.

Three things open one, and nothing else: a champion outside its limits, a deployment without a
verdict, an expired waiver in use. What is open in a log already is not opened again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aims_gate.governance.contract import plus_days
from aims_gate.operations.aims.entry_days import is_open
from aims_gate.operations.aims.log import Opening, open_entry
from aims_gate.operations.aims.survey import Survey
from aims_gate.verdict import Decision, Outcome, Verdict

DUE_DAYS = 30
"""Days until the cause must be found and mended, unless a person writes another day."""
_TYPE = "nonconformity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonconformity:
    """What is in service and should not be."""

    model: str
    version: str
    told: str
    """In a sentence."""
    rule: str = ""
    """The rule that is not met, or was waived."""
    severity: str = "high"
    evidence: str = ""
    """Id of the evidence that shows it."""
    folder: Path | None = None
    """Records of its system; None where no system lists the model."""
    owner: str = ""

    @property
    def uri(self) -> str:
        """The version, as entries link it."""
        return f"models:/{self.model}/{self.version}"


def nonconformities(found: Survey) -> Iterator[Nonconformity]:
    """Find what is in service without what it needs; models that no system lists included."""
    for system in found.systems:
        owner = next((one.owner for one in system.records.of("system")), "")
        for model, version in system.live.items():
            for one in _of(found, system.verdicts, model, version) if version else ():
                yield replace(one, folder=system.folder, owner=owner)
    for model in found.unlisted:
        version = found.history.live(model)
        if version:
            about = [one for one in found.history.verdicts if _is(one, model, version)]
            yield from _of(found, _newest(about), model, version)


def open_nonconformities(found: Survey, org: Path) -> Iterator[tuple[Nonconformity, Path | None]]:
    """Open an entry for each nonconformity that no open one is about.

    Args:
        found: The day's survey.
        org: Records of the organisation, whose log has what is of no system.

    Returns:
        Each with the entry that was written; None where one is open.
    """
    for one in nonconformities(found):
        if any(
            entry.type == _TYPE
            and is_open(entry, found.today)
            and one.uri in entry.links
            and str(entry.values.get("rule", "")) == one.rule
            for _whose, entry in found.entries
        ):
            yield one, None
            continue
        how = Opening(
            folder=one.folder or org,
            type=_TYPE,
            title=one.told,
            owner=one.owner,
            severity=one.severity,
            due=plus_days(found.today, DUE_DAYS),
            rule=one.rule,
            links=(one.uri,),
            detected_by=f"evidence {one.evidence}" if one.evidence else "",
            today=found.today,
        )
        yield one, open_entry(how, again=True)


def _of(
    found: Survey, newest: tuple[Verdict, ...], model: str, version: str
) -> Iterator[Nonconformity]:
    """What is wrong with one version in service."""
    passed = [
        one
        for one in found.history.verdicts
        if _is(one, model, version) and one.decision is Decision.PASSED
    ]
    if not passed:
        told = f"{model} {version} is in service without a verdict that it may be"
        yield Nonconformity(model=model, version=version, told=told)
        return
    for verdict in (one for one in newest if _is(one, model, version)):
        evidence = verdict.evidence.id if verdict.evidence is not None else ""
        policy = f"{verdict.policy.id} at {verdict.stage}"
        if verdict.decision is Decision.REFUSED:
            rules = [one.rule for one in verdict.results if one.blocking]
            told = f"{model} {version} is in service outside the limits of {policy}"
            yield Nonconformity(
                model=model,
                version=version,
                told=f"{told}: {', '.join(rules)}",
                rule=next(iter(rules), ""),
                evidence=evidence,
            )
        for result in verdict.results:
            ended = result.expires is not None and result.expires <= found.now
            if result.outcome is Outcome.WAIVED and ended:
                until = f"{result.expires:%Y-%m-%d}"
                told = f"{model} {version} is in service by a waiver of {result.rule} that ended"
                yield Nonconformity(
                    model=model,
                    version=version,
                    told=f"{told} on {until}",
                    rule=result.rule,
                    severity="medium",
                    evidence=evidence,
                )


def _newest(verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    """The newest verdict of each policy and stage; *verdicts* are the oldest first."""
    return tuple({(one.policy.id, one.stage): one for one in verdicts}.values())


def _is(verdict: Verdict, model: str, version: str) -> bool:
    return (verdict.model.name, verdict.model.version) == (model, version)
