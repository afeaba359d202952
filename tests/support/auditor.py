"""A lead auditor with a printed index: ten questions, answered from its text and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from aims_gate.__main__ import guarded


class Printed(HTMLParser):
    """Tables of a page by their titles: rows of cells, as they are printed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}
        self.inside, self.title = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"h2", "td"}:
            self.inside = tag
        if tag == "h2":
            self.title = ""
        elif tag == "tr":
            self.tables[self.title].append([])
        elif tag == "td":
            self.tables[self.title][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self.tables[self.title] = []
        self.inside = "" if tag in {"h2", "td"} else self.inside

    def handle_data(self, data: str) -> None:
        if self.inside == "h2":
            self.title += data
        elif self.inside == "td":
            self.tables[self.title][-1][-1] += data

    def find(self, title: str, *words: str) -> Iterator[str]:
        """Rows of the table whose title begins so that have all these words, as one line each."""
        (rows,) = (found for name, found in self.tables.items() if name.startswith(title))
        for row in rows:
            line = " | ".join(row)
            if all(word in line for word in words):
                yield line


def printed_index(folder: Path, day: str) -> Printed:
    """Index of the pack of an organisation's year, whose annex has checked it."""
    out = folder / "audit"
    read = ["--as-of", day, "--for", "surveillance", "--out", str(out)]
    assert guarded(["aims", "audit-pack", *read]) == 0
    check = ["bash", str(out / "annex" / "check.sh")]
    subprocess.run(check, check=True, capture_output=True)
    return Printed((out / "index.html").read_text("utf-8"))


def ten_answers(index: Printed) -> Iterator[str]:
    """Each question of the auditor with its answer; an empty one is none."""

    def first(title: str, *words: str) -> str:
        return next(index.find(title, *words), "")

    risk = first("Which risks remain", "employment R-1", "BIAS-02", "(signed)")
    yield f"who accepted this bias? {risk and 'cy@acme.example' in risk and risk}"
    limit = first("Against which limits", "BIAS-02", "at least 0.8")
    yield f"against which limit? {limit}"
    when = (
        "cy@acme.example" in limit and "employment by employment" in limit and " since 20" in limit
    )
    decided = first("Audits, reviews, decisions", "decision", "four fifths for selection")
    yield f"who set it, and when? {when and decided}"
    approved = first(
        "Who approved which", "risks.yaml", "employment", "cy@acme.example: risk until"
    )
    yield f"was the approver competent then? {approved}"
    failed = first("Incidents and nonconf", "employment", "this week's list came mostly from")
    yield f"what failed, and what was done? {'The list was not sent.' in failed and failed}"
    yield f"did it work? {'met MON-01' in failed and failed}"
    yield f"which versions served? {first('Which versions served', 'employment', 'now')}"
    yield f"what was excluded, and why? {first('What is excluded', 'A.6.2.8', 'no event to log')}"
    policy = first("Who approved which", "org/policy.md", "signed", "cy@acme.example")
    yield f"who reviewed the policy? {policy}"
    shown = first("What customers", "employment", "card, Limits", "under 22")
    contact = first("What customers", "employment", "contact", "@acme.example")
    yield f"what do customers see? {contact and shown}"
