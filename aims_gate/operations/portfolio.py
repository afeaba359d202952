"""The models of a registry with their verdicts: what each alias names, and the newest versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from aims_gate.advice import in_order
from aims_gate.errors import SourceError, TrustError, UsageError
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.pages.portfolio_page import (
    Portfolio,
    PortfolioModel,
    PortfolioNumber,
    PortfolioVersion,
)
from aims_gate.policy.model import Threshold
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import Registry
from aims_gate.sinks.mlflow import metrics
from aims_gate.verdict import Authenticity, Result, Verdict

LAST = 10
"""Newest versions of a model that are shown, beside those that an alias names."""
_FOLLOWED = {"performance": 2, "fairness": 2, "drift": 1}
"""Rules of each family whose numbers are followed over versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioQuestion:
    """Which models are shown, and by whose keys their evidence is to be believed."""

    models: str = "*"
    """Pattern of registered names."""
    trust: Path | None = None
    """None verifies no signature, which the page then says."""
    stage: str | None = None
    environ: Mapping[str, str]


def read_portfolio(question: PortfolioQuestion, *, now: datetime) -> Portfolio:
    """Read the newest verdict of every version that is shown.

    Raises:
        UsageError: (2) No registered model matches, or there is no usable trust file.
        SourceError: (3) The registry does not answer. Evidence of one version that cannot be read
            is a row that says so.
    """
    registry = open_registry(question.environ)
    names = [name for name in registry.model_names() if fnmatchcase(name, question.models)]
    if not names:
        what = f"no registered model matches {question.models!a}"
        raise UsageError(what, where=registry.server, hint="--models takes a pattern: 'credit-*'")
    return Portfolio(
        server=registry.server,
        read=now,
        trust="" if question.trust is None else str(question.trust),
        models=tuple(_model(name, registry, question, now) for name in sorted(names)),
    )


def _model(
    name: str, registry: Registry, question: PortfolioQuestion, now: datetime
) -> PortfolioModel:
    try:
        aliases: dict[str, list[str]] = {}
        for alias, version in sorted(registry.aliases(name).items()):
            aliases.setdefault(version, []).append(alias)
        found = [one.version for one in registry.versions(name, last=LAST + 1)]
    except UsageError as error:  # a name that no model URI can hold
        return PortfolioModel(name=name, problem=error.what)
    shown = [*found[:LAST], *(one for one in aliases if one not in found[:LAST])]
    versions = tuple(
        _version(name, one, tuple(aliases.get(one, ())), question, now) for one in shown
    )
    newest = next((one.verdict for one in versions if one.numbers), None)
    numbers = () if newest is None else tuple(_followed(newest))
    older = len(found) > LAST
    return PortfolioModel(name=name, versions=versions, numbers=numbers, older=older)


def _version(
    name: str,
    version: str,
    aliases: tuple[str, ...],
    question: PortfolioQuestion,
    now: datetime,
) -> PortfolioVersion:
    asked = EvidenceQuestion(
        evidence=f"models:/{name}/{version}",
        trust=question.trust,
        stage=question.stage,
        environ=question.environ,
    )
    try:
        verdict = read_past(asked, now=now)
    except (UsageError, TrustError, SourceError) as error:
        unread = isinstance(error, SourceError)
        why = "could not be read" if unread else "the evidence does not hold"
        problem = error.what if isinstance(error, UsageError) else f"{why}: {error.what}"
        return PortfolioVersion(version=version, aliases=aliases, problem=problem, unread=unread)
    return PortfolioVersion(
        version=version, aliases=aliases, verdict=verdict, numbers=_numbers(verdict)
    )


def _numbers(verdict: Verdict) -> Mapping[str, float]:
    """Numbers of a verdict; none of evidence that may be about another model, or is taken back."""
    read = verdict.standing
    refused = read is not None and read.authenticity is Authenticity.REFUSED
    return {} if refused else metrics(verdict)


def _followed(verdict: Verdict) -> Iterator[PortfolioNumber]:
    """Numbers that are followed: the worst rules of each family, by its first judged statistic."""
    known = metrics(verdict)
    for family, most in _FOLLOWED.items():
        rules = [r for r in in_order(verdict) if r.check.partition(".")[0] == family]
        keyed = [(_key(one), one) for one in rules]
        for key, one in [pair for pair in keyed if pair[0] in known][:most]:
            bar = one.threshold or Threshold()
            name = key.removeprefix(f"{one.rule}.").replace("_", " ")
            yield PortfolioNumber(
                key=key,
                title=f"{one.rule} {name}",
                at_least=bar.at_least,
                at_most=bar.at_most,
            )


def _key(result: Result) -> str:
    names = (one.name for one in result.statistics if one.judged)
    return f"{result.rule}.{next(names, '')}"
