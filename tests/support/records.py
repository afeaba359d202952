"""A small organisation with one system, its records whole: tests break one place each."""

from __future__ import annotations

from pathlib import Path

FRONT = "---\nkind: {kind}\nid: credit/{id}\nowner: ada@acme.example\neffective: 2026-11-03\n"


def _markdown(kind: str, name: str, keys: str, **sections: str) -> str:
    body = "\n\n".join(f"## {heading}\n{text}" for heading, text in sections.items())
    return f"{FRONT.format(kind=kind, id=name)}{keys}---\n{body}\n"


FILES: dict[str, str] = {
    "aims/system.yaml": """\
kind: system
id: credit
title: Decides whether a consumer loan up to 10,000 EUR is granted
owner: ada@acme.example
risk_owner: bo@acme.example
tier: high
lifecycle: production
effective: 2026-11-03
registry: [credit]
intended_use: {text: Consumer loans of residents over 18, not_for: [businesses]}
affected: [applicants, joint applicants]
oversight: {mode: on-the-loop, stop: runbooks/stop.md, operator: desk@acme.example}
contact: complaints@acme.example
objectives:
  - {text: Ranks applicants well enough for the manual queue, rule: PERF-01}
  - {text: Complaints answered in 10 days, measured_in: log/, kind: concern, days: 10}
policy: {release: ../policy.yaml}
rollback: {to: previous champion, tested: 2026-10-14}
suppliers: [scores-inc]
""",
    "aims/risks.yaml": """\
kind: risks
id: credit/risks
owner: ada@acme.example
effective: 2026-11-03
risks:
  - id: R-1
    category: bias
    title: Women are turned away more often than their repayment justifies
    stakeholders: [applicants]
    cost: {low: 20000, high: 400000, currency: EUR}
    regulations: [GDPR 22]
    inherent: {likelihood: 4, severity: 4}
    treatment: {rules: [BIAS-02], runbook: runbooks/stop.md}
    residual: {likelihood: 2, severity: 4}
  - id: R-2
    category: failure
    title: Income shifts and the ranking decays
    stakeholders: [Acme]
    cost: {low: 10000, high: 150000, currency: EUR}
    regulations: {none: no rule on accuracy for this product}
    inherent: {likelihood: 4, severity: 3}
    treatment: {rules: [PERF-01]}
    residual: {likelihood: 2, severity: 3}
none:
  privacy: names and addresses never reach the features
  security: the registry is guarded, see the policy of the company
""",
    "aims/impact.md": _markdown(
        "impact",
        "impact",
        "groups: [sex]\n",
        **{
            "Purpose and use": "Loans are granted or refused without a human look.",
            "Who is affected": "Applicants and those who live with them.",
            "Benefits": "An answer within a minute.",
            "Harms to individuals and groups": "A refusal costs an applicant a home or a car.",
            "Effects on society": "Fewer loans for those who earn irregularly.",
            "Foreseeable misuse": "Ranking of employees, which the contract forbids.",
            "What reduces the harm": "BIAS-02, and a second look on request.",
            "Conclusion": "It may be used for loans up to 10,000 EUR.",
        },
    ),
    "aims/card.md": _markdown(
        "card",
        "card",
        "license: other\n",
        **{
            "How it decides": "A steady income raises the score, open debts lower it.",
            "Limits": "It errs more often for applicants under 20.",
            "How to use it": "Look twice at scores between 0.4 and 0.6.",
        },
    ),
    "aims/architecture.md": _markdown(
        "architecture",
        "architecture",
        "inputs: [age, income]\n",
        **{
            "Technical specification": "One service on two machines.",
            "Data flow": "```mermaid\nflowchart LR\n  form --> model\n```",
        },
    ),
    "aims/data/loans.md": _markdown(
        "data-sheet",
        "data/loans",
        "source: loans\nlicence: own data\nlawful_basis: contract with the applicant\n"
        "personal_data: [age, income]\npurpose: to decide on loans\n",
        **{
            "Where it comes from": "The form of the web page, since 2019.",
            "What it may be used for": "Loans, and nothing else.",
            "Known bias": "People without a bank account are missing.",
            "Preparation": "prepare.py drops rows without income.",
        },
    ),
    "aims/runbooks/stop.md": _markdown(
        "runbook",
        "runbooks/stop",
        "exercised: 2026-10-14\n",
        **{
            "When": "Complaints of one group pile up.",
            "Steps": "1. Point the alias at the version before.",
            "Whom to tell": "The risk owner, the same day.",
        },
    ),
    "aims/log/2026-10-21-income.md": """\
---
kind: entry
type: incident
id: credit/2026-10-21-income
severity: high
owner: ada@acme.example
opened: 2026-10-21
due: 2026-11-04
closed: 2026-10-24
rule: PERF-01
links: [R-2]
---
## What happened
The ROC AUC fell from 0.77 to 0.71.
## Cause
Income is nominal.
## What was done
Version 6 was served again.
## Did it work
Version 8 passed on four Mondays.
""",
    "org/organisation.yaml": """\
kind: organisation
id: acme
owner: bo@acme.example
effective: 2026-11-03
scope: All models of Acme that decide about people
systems: [credit]
context: A lender under supervision
parties: [{who: applicants, expects: an explanation}]
objectives: [{text: No finding open for longer than 90 days, unmeasured: counted by hand}]
method: Likelihood times severity, each scored by owner and risk owner
appetite: {accept: 9, refuse: 15}
tiers: [{id: high, means: decides about people, strength: reviewed}]
cadences: [{of: architecture, days: 92, by: person}]
resources: Two people, half a day a week
communication: The risk owner tells the authority and the customers
obligations: [GDPR]
customers: They are told on the form that a model decides
""",
    "org/policy.md": _markdown(
        "policy",
        "policy",
        "",
        **{
            "Purpose": "Faster answers for applicants.",
            "Principles": "Nobody is refused for what they are.",
            "Objectives": "Set in January by the board.",
            "Commitments": "We keep the law and mend what we find.",
            "Responsibilities": "The owner runs it, the risk owner stops it.",
            "Exceptions": "The board alone, in writing.",
            "Other policies": "Privacy and security of 2025.",
        },
    ).replace("id: credit/policy", "id: acme/policy"),
    "org/people.yaml": """\
kind: people
id: acme/people
owner: bo@acme.example
effective: 2026-11-03
roles:
  - {id: model-owner, does: answers for a model, competence: [machine-learning]}
  - {id: risk-owner, does: accepts risks, competence: [risk]}
people:
  - id: ada@acme.example
    name: Ada
    roles: [model-owner]
    deputy: cy@acme.example
    known_as: [ada]
    github: ada-l
    competence:
      - {subject: machine-learning, proof: degree, since: 2020-01-01, until: 2027-12-31}
  - id: bo@acme.example
    name: Bo
    roles: [risk-owner]
    deputy: cy@acme.example
    known_as: [bo]
    github: bo-b
    competence:
      - {subject: risk, proof: course, since: 2026-01-01, until: 2026-12-31}
  - id: cy@acme.example
    name: Cy
    roles: [risk-owner, model-owner]
    known_as: [cy]
    competence:
      - {subject: risk, proof: course, since: 2026-01-01, until: 2026-12-12}
""",
    "org/soa.yaml": """\
kind: soa
id: acme/soa
owner: bo@acme.example
effective: 2026-11-03
controls:
  - id: A.2.2
    applicable: true
    justification: a policy is the base of the rest
    status: implemented
    owner: bo@acme.example
""",
    "org/suppliers.yaml": """\
kind: suppliers
id: acme/suppliers
owner: bo@acme.example
effective: 2026-11-03
suppliers:
  - id: scores-inc
    name: Scores Inc.
    provides: api
    used_by: [credit]
    licence: contract of 2025
    assessed: 2026-06-01
    until: 2027-06-01
    responsibilities: they answer for the scores, we for their use
""",
}
"""Text by path."""


def write_records(root: Path) -> tuple[Path, Path]:
    """Write the records below a folder; its two folders of records."""
    for path, text in FILES.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return root / "aims", root / "org"


def edit(path: Path, old: str, new: str) -> None:
    """Change one place of a file, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
