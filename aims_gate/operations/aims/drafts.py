"""Drafts of a system's records: templates with what is known of its model filled in.

What stands in one record is named by the others, and not asked for or written twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from aims_gate.checks.records.data_sources import DataSource, slug
from aims_gate.harmless import plain
from aims_gate.operations.aims.filled import filled
from aims_gate.operations.aims.known import Known
from aims_gate.operations.aims.risks import ProposedRisk, proposed_risks
from aims_gate.policy.resolved_yaml import inline

STOP = "runbooks/stop.md"
_WORST = 5
"""Until somebody scores a risk, nothing lowers it."""
_EXERCISED = 'exercised: "TODO: the day on which it was tried last"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """Where records go, and who answers for them."""

    folder: Path
    owner: str
    risk_owner: str
    """Empty to ask for it; never the owner."""
    today: date


def drafts(known: Known, how: Drafting) -> Iterator[tuple[str, str]]:
    """Every record that a system needs: its place below the folder, and its text."""
    risks = tuple(proposed_risks(known.policy))
    owned = {"owner": how.owner}

    def marks(**more: str) -> Mapping[str, str]:
        return {"system": slug(known.model.name), "today": f"{how.today:%Y-%m-%d}", **more}

    yield "system.yaml", _system(known, how, marks())
    register = {"risks": "".join(f"{line}\n" for one in risks for line in _risk(one))}
    text = filled("risks", marks=marks(), keys=owned, blocks=register)
    yield "risks.yaml", text[: text.index("none: #")]  # each category has a risk here
    groups = {"groups": list(known.protected)} if known.protected else {}
    assessed = dict(_impact(risks))
    yield "impact.md", filled("impact", marks=marks(), keys={**owned, **groups}, sections=assessed)
    yield "card.md", filled("card", marks=marks(), keys=owned)
    drawn = {"Technical specification": _specification(known), "Data flow": _flow(known)}
    sections = {heading: "\n".join(lines) for heading, lines in drawn.items()}
    inputs = {"inputs": [name for name, _kind in known.inputs]} if known.inputs else {}
    text = filled("architecture", marks=marks(), keys={**owned, **inputs}, sections=sections)
    yield "architecture.md", text
    for source in known.sources:
        keys, sections = _sheet(known, source)
        name = marks(source=source.name)
        text = filled("data-sheet", marks=name, keys={**owned, **keys}, sections=sections)
        yield f"data/{source.name}.md", text
    steps = dict(_stop(known))
    stop = filled("runbook", marks=marks(name="stop"), keys=owned, sections=steps)
    yield STOP, stop.replace(_EXERCISED, "")


def _system(known: Known, how: Drafting, marks: Mapping[str, str]) -> str:
    keys: dict[str, object] = {"owner": how.owner}
    if how.risk_owner:
        keys["risk_owner"] = how.risk_owner
    if known.model.registered:
        keys["registry"] = [known.model.registered]
    policy = known.policy
    objectives = [
        f"  - {inline({'text': rule.title or f'{rule.check} holds', 'rule': rule.id})}\n"
        for rule in (() if policy is None else policy.rules)
        if rule.check.startswith(("performance.", "fairness."))
    ]
    blocks = {"objectives": "".join(objectives)} if objectives else {}
    text = filled("system", marks=marks, keys=keys, blocks=blocks)
    if policy is None or not policy.folder:
        return text
    file = Path(policy.folder) / policy.uri.rpartition("/")[2]
    place = Path(os.path.relpath(file, how.folder.resolve()))
    return text.replace('"../policy.yaml"', inline(place.as_posix()))


def _risk(one: ProposedRisk) -> Iterator[str]:
    treated = {"rules": list(one.rules), "runbook": STOP}
    untreated = {"text": "TODO: what lowers it; no rule of the policy does"}
    yield f"  - id: {one.id}"
    yield f"    category: {one.category}"
    yield f"    title: {inline(one.title)}"
    yield f"    stakeholders: {inline(list(one.stakeholders))}"
    yield '    cost: { low: "TODO: least cost", high: "TODO: greatest cost", currency: EUR }'
    yield f"    regulations: {inline(list(one.regulations))}"
    yield f"    inherent: {{ likelihood: {_WORST}, severity: {_WORST} }} # the worst, until scored"
    yield f"    treatment: {inline(treated if one.rules else untreated)}"
    yield '    residual: { likelihood: "TODO: 1 to 5", severity: "TODO: 1 to 5" }'


def _impact(risks: tuple[ProposedRisk, ...]) -> Iterator[tuple[str, str]]:
    ids = ", ".join(f"{one.id} ({one.category})" for one in risks)
    rules = ", ".join(dict.fromkeys(rule for one in risks for rule in one.rules))
    yield "Purpose and use", "As `title` and `intended_use` of system.yaml say."
    yield "Who is affected", "As `affected` of system.yaml says."
    yield "Harms to individuals and groups", f"Each one found is scored in risks.yaml: {ids}."
    yield "Foreseeable misuse", "What it is not for: `intended_use.not_for` of system.yaml."
    if rules:
        held = f"Rules that run before each release: {rules}. How it is stopped: {STOP}."
        yield "What reduces the harm", held


def _specification(known: Known) -> Iterator[str]:
    libraries = ", ".join(f"{one.name} {one.version}".strip() for one in known.packages)
    yield f"- Model: {plain(known.flavor or 'files')}, registered as `{plain(known.model.name)}`."
    if known.python:
        yield f"- Python {known.python} with {plain(libraries)}."
    yield "- TODO: say where it runs, and who operates it."


def _flow(known: Known) -> Iterator[str]:
    """Draw sources, the model's inputs and its answer as Mermaid."""
    yield "```mermaid"
    yield "flowchart LR"
    for number, source in enumerate(known.sources, start=1):
        yield f'  source{number}["{_label(source.name)}"] --> inputs'
    names = ", ".join(_label(name) for name, _kind in known.inputs) or "unknown inputs"
    yield f'  inputs["{names}"] --> model["{_label(known.model.name)}"] --> answer["answer"]'
    yield "```"


def _label(text: str) -> str:
    """A name inside a drawing, without what Mermaid or Markdown would obey."""
    return "".join(one if one.isalnum() or one in " _-." else "?" for one in plain(text, most=80))


def _sheet(known: Known, source: DataSource) -> tuple[dict[str, object], dict[str, str]]:
    """Keys and sections of the sheet of a source."""
    roles = ", ".join(part.role for part in source.parts)
    used = f"Roles in the runs of this model: {roles}. Any other use is a decision of its own."
    sections = {"What it may be used for": used}
    trained = dict(known.trained)
    if trained.get("run"):
        commit = f", git commit `{trained['commit']}`" if trained.get("commit") else ""
        prepared = f"By the code of the training run `{plain(trained['run'])}`{commit}."
        sections["Preparation"] = prepared
    keys: dict[str, object] = {}
    if known.protected:
        keys["personal_data"] = list(known.protected)
    return keys, sections


def _stop(known: Known) -> Iterator[tuple[str, str]]:
    name = plain(known.model.registered or known.model.name)
    yield "When", "Monitoring refuses what is served, or an incident of severity high is opened."
    back = f"aims-gate promote --model models:/{name} --alias champion --rollback --why REASON"
    steps = (
        f"1. `{back}` points at the version before, whose evidence is verified anew.",
        "2. `aims-gate aims log new incident` opens the entry.",
    )
    yield "Steps", "\n".join(steps)
    yield "Whom to tell", "The owner and `oversight.operator` of system.yaml, at once."
