"""An evidence directory in words: what was decided, when, by whom, and on which numbers.

Nothing is verified but that the files name each other, from the summary down: a report that was
changed is never told as what was signed.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_PAYLOAD
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.bracket import Bracket
from aims_gate.errors import TrustError
from aims_gate.evidence.layout import POLICY_FILE, REPORT_FILE
from aims_gate.evidence.read_values import as_number
from aims_gate.facts import Interval
from aims_gate.harmless import plain
from aims_gate.limits import Bar
from aims_gate.operations.explain import indented
from aims_gate.plan import Task
from aims_gate.policy.model import DecideOn, Policy
from aims_gate.regular import read_regular
from aims_gate.sentences import Told, between, display, interval, meanings, number

_CELLS = 12
"""Judged cells of a rule that are printed; the report has all."""
_DECISIONS = {
    "passed": "policy met",
    "refused": "policy not met",
    "undecided": "could not be decided",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The content of an evidence directory whose files name each other."""

    folder: Path
    evaluation: Mapping[str, Any]
    """The predicate of the evaluation statement."""
    key: str
    """Whose signature the envelope says it has; empty without one."""

    def head(self, policy: Policy) -> str:
        """Tell what was decided about which model and data, when and by whom."""
        told, model = self.evaluation, self.evaluation["model"]
        decided = _DECISIONS.get(told["verdict"], told["verdict"])
        signed = f"by key {self.key}, which verify checks" if self.key else "by nobody"
        lines = {
            "decision": f"{decided} at stage {told['stage']}",
            "model": f"{model['uri']}, sha256:{model['digest']['sha256']}",
            "when": f"{told['startedOn']} to {told['finishedOn']}",
            "verifier": f"{told['evaluator']['id']} (a claim, as the time is)",
            "signed": signed,
            "policy owner": policy.owner or "nobody",
        }
        if policy.expires is not None:
            lines["policy owner"] += f", expires {policy.expires:%Y-%m-%d}"
        for one in told["datasets"]:
            lines[one["annotations"]["role"]] = _data(one)
        lines |= self._meanings()
        return "".join(f"  {plain(f'{name}:'):<12} {plain(text)}\n" for name, text in lines.items())

    def _meanings(self) -> Told:
        facts = [one["annotations"] for one in self.evaluation["datasets"]]
        results = self.evaluation["results"]
        return meanings(
            [note for one in facts for note in one.get("notes", ())],
            [one["digestKind"] for one in facts],
            version=any(one.get("snapshot") for one in facts),
            cells=any("bracket" in cell for one in results for cell in one["statistics"]),
        )

    def outcome(self, task: Task) -> str:
        """Tell the result of a rule, with the values that were compared with its limit.

        Values of 0, such as violations that nobody found, are left to the report.
        """
        found = [one for one in self.evaluation["results"] if one["rule"] == task.rule.id]
        if not found:
            return "  outcome: none is recorded\n"
        (result,) = found
        effect = "stands in the way" if result["blocking"] else "not in the way"
        lines = [f"outcome: {result['outcome']} ({effect}): {result['reason']}"]
        judged = [one for one in result["statistics"] if one["judged"] and one["value"] != "0"]
        lines += [f"value: {_cell(cell, task)}" for cell in judged[:_CELLS]]
        if len(judged) > _CELLS:
            lines.append(f"and {len(judged) - _CELLS:,} values more that are not 0")
        return "".join(f"{indented(plain(line))}\n" for line in lines)

    def numbers(self, rule: str) -> str:
        """Commands that read every number from the report (jq), and that make a page of them."""
        path = shlex.quote(str(self.folder / REPORT_FILE))
        rows = "'.results[] | [.rule, .outcome, .reason] | @tsv'"
        cells = f"""'.results[] | select(.rule == "{rule}") | .threshold, .statistics[]'"""
        words = ["aims-gate", "evidence", "report", str(self.folder), "--format", "html"]
        page = f"  {shlex.join(words)} --out report.html\n"
        return f"every number:\n  jq -r {rows} {path}\n  jq {cells} {path}\n{page}"


def open_evidence(folder: Path) -> Explained:
    """Read an evidence directory from its summary down; signatures are not verified.

    Raises:
        TrustError: A file is not the one that the next one up names, or is missing or unreadable.
    """
    summary = folder / statement_file("vsa")
    try:
        stated = _predicate(summary)
        named = {one["uri"]: one["digest"]["sha256"] for one in stated["inputAttestations"]}
        evaluation = folder / statement_file("evaluation")
        _hold(folder / POLICY_FILE, stated["policy"]["digest"]["sha256"], summary)
        _hold(evaluation, named[evaluation.name], summary)
        told = _predicate(evaluation)
        _hold(folder / REPORT_FILE, told["report"]["sha256"], evaluation)
        envelope = folder / envelope_file("vsa")
        signed = _read(envelope)["signatures"][0]["keyid"] if envelope.is_file() else ""
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        what = "it cannot be read as evidence"
        raise TrustError(what, where=str(folder), hint=_HINT) from error
    return Explained(folder=folder, evaluation=told, key=signed)


_HINT = "aims-gate verify says what does not hold"


def _read(path: Path) -> Any:
    return canonical.parse(read_regular(path, MAX_PAYLOAD))


def _predicate(path: Path) -> Any:
    return _read(path)["predicate"]


def _hold(path: Path, digest: str, by: Path) -> None:
    """Refuse a file that the statement *by* does not name."""
    if canonical.sha256_file(path) != digest:
        what = f"{by.name} does not name this file: one of the two was changed"
        raise TrustError(what, where=str(path), hint=_HINT)


def _data(found: Mapping[str, Any]) -> str:
    """Say which rows were judged, where they were, and by what digest they are known again."""
    facts = found["annotations"]
    version = facts.get("snapshot")
    told = [
        f"{found['name']}, {facts['rows']:,} rows",
        facts.get("window", ""),
        found.get("uri", ""),
        f"version {version}" if version else "",
        f"{facts['digestKind']} sha256:{found['digest']['sha256']}",
        *facts.get("notes", ()),
    ]
    return ", ".join(filter(None, told))


def _cell(cell: Mapping[str, Any], task: Task) -> str:
    """One value with its interval, its threshold and its rows, in words."""
    name = f"{display(cell['name'])} {cell['slice']}".strip()
    if cell["value"] is None:
        return f"{name}: none ({cell['reason'] or cell['lack']})"
    told = f"{name} {number(float(cell['value']))}"
    if cell["interval"] is not None:
        bounds = {key: float(cell["interval"][key]) for key in ("low", "high", "level")}
        told += f" ({interval(Interval(method='', **bounds))})"
    if "bracket" in cell:
        told += f" {between(Bracket.read(cell['bracket'], as_number))}"
    told += "; " + ", ".join(_bar(bar, task.decide_on) for bar in task.bars)
    return f"{told}; n={cell['rows']:,}" if cell["rows"] else told


def _bar(bar: Bar, decide_on: DecideOn) -> str:
    told = f"limit {bar.limit:g}"
    return f"{told}, line {bar.line:g}" if decide_on is DecideOn.PROVEN_BREACH else told
