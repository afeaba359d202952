"""Tables of the audit's index from signed evidence: limits, verdicts, refusals, what served."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from aims_gate import canonical
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.governance import templates
from aims_gate.operations.aims.gate_history import CHAMPION, AliasMove
from aims_gate.operations.aims.quarter import served
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.population import DECIDED
from aims_gate.pages.sheet import SheetRow, SheetTable
from aims_gate.policy.model import Policy, Threshold
from aims_gate.policy.resolve import resolve
from aims_gate.verdict import Authenticity, Decision, Outcome, Result, Verdict

ANSWERED = timedelta(days=31)
"""Days within which an entry of the log about the same rule is taken for the answer."""
_QUIET = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE})
TONES = {Decision.PASSED: "good", Decision.REFUSED: "bad", Decision.UNDECIDED: "warn"}


def within(found: Survey, when: Period) -> list[Verdict]:
    """Verdicts of the period, the oldest first."""
    return [one for one in found.history.verdicts if when.holds(one.finished.date())]


def unmet(results: Iterable[Result]) -> bool:
    """Whether a rule among these did not pass, whatever became of the verdict that it stands in."""
    return any(one.outcome not in _QUIET for one in results)


def limits(found: Survey, when: Period, rules: Collection[str] | None = None) -> SheetTable:
    """Each limit that was applied in the period: who set it, since when it is used, and why."""
    rows: dict[tuple[str, ...], dict[str, date]] = {}
    first: dict[str, date] = {}
    for verdict in found.history.verdicts:
        first.setdefault(verdict.policy.digest, verdict.finished.date())
    for verdict in within(found, when):
        policy, said = policy_of(verdict, found), verdict.policy
        for result in verdict.results:
            if result.threshold is None or not _wanted(result.rule, rules):
                continue
            bar, by = limit(result.threshold), _set_by(result.rule, policy, said.limits)
            key = (result.rule, result.title or result.check, bar, by, result.why)
            named = f"{verdict.model.name} by {said.id} {said.version}"
            rows.setdefault(key, {}).setdefault(named, first[said.digest])
    return SheetTable(
        title="Against which limits, who set them, and since when",
        heads=("rule", "what", "limit", "set by", "why", "of which model, since when"),
        rows=tuple(
            SheetRow(cells=(*key, "; ".join(f"{one} since {day}" for one, day in used.items())))
            for key, used in rows.items()
        ),
        empty="no rule was applied in this period",
    )


def limit(bar: Threshold) -> str:
    """A limit in words."""
    told = [f"at least {bar.at_least:g}"] if bar.at_least is not None else []
    told += [f"at most {bar.at_most:g}"] if bar.at_most is not None else []
    return " and ".join(told)


def policy_of(verdict: Verdict, found: Survey) -> Policy | None:
    """The resolved policy beside the evidence, if it has the digest that was signed."""
    folder = found.history.folders.get(verdict.evidence.id if verdict.evidence else "")
    try:
        data = b"" if folder is None else (folder / POLICY_FILE).read_bytes()
    except OSError:
        return None
    return _resolved(data) if canonical.sha256(data) == verdict.policy.digest else None


@lru_cache(maxsize=64)  # one policy judges many versions, and each page asks again
def _resolved(data: bytes) -> Policy | None:
    policy, wrong = resolve(data, uri=POLICY_FILE)
    return None if wrong else policy


def _set_by(rule: str, policy: Policy | None, packs: tuple[str, ...]) -> str:
    """Who approved a rule in the policy, else its owner; and whose the limits of packs are."""
    if policy is None:
        return "; ".join(packs) or "not known: the policy is not beside the evidence"
    by = next((one.approved_by for one in policy.rules if one.id == rule), "")
    return "; ".join((by or f"{policy.owner or 'nobody'}, who owns the policy", *packs))


def verdicts(found: Survey, when: Period) -> SheetTable:
    """Everything that was judged, failures beside passes."""
    return SheetTable(
        title="What was judged in the period, and what failed",
        heads=("day", "model", "stage", "verdict", "what was not met", "policy", "evidence"),
        rows=tuple(
            SheetRow(
                cells=(
                    f"{one.finished:%Y-%m-%d}",
                    f"{one.model.name} {one.model.version}",
                    one.stage,
                    DECIDED[one.decision],
                    "; ".join(
                        f"{r.rule} {r.outcome}: {r.reason}"
                        for r in one.results
                        if r.outcome not in _QUIET
                    ),
                    f"{one.policy.id} {one.policy.version}",
                    "" if one.evidence is None else one.evidence.id,
                ),
                tone=TONES[one.decision],
            )
            for one in within(found, when)
        ),
        empty=_nothing("nothing was judged in this period, which is a finding itself", found),
    )


def _nothing(told: str, found: Survey) -> str:
    return "; ".join(filter(None, (told, found.history.of_mlflow)))


def refusals(found: Survey, when: Period) -> SheetTable:
    """Each refusal: what became of it, what was done, and whether that worked."""
    rows = []
    for one in within(found, when):
        if one.decision is Decision.PASSED:
            continue
        live = served(found.history, one)
        answer, worked = _answer(one, found), _afterwards(one, found)
        fate = "it was serving" if live else "a candidate, which did not serve then"
        done = answer or ("no entry of the log tells" if live else "the control worked")
        rows.append(
            SheetRow(
                cells=(
                    f"{one.finished:%Y-%m-%d}",
                    f"{one.model.name} {one.model.version}",
                    ", ".join(_named(r) for r in one.results if r.blocking) or "undecided",
                    fate,
                    done,
                    worked or "the model was not judged since",
                ),
                tone="bad" if live and not answer else "warn" if not worked else "quiet",
            )
        )
    return SheetTable(
        title="What failed, what was done about it, and did it work",
        heads=("day", "model", "rules", "fate", "what was done", "afterwards"),
        rows=tuple(rows),
        empty=_nothing("nothing was refused in this period", found),
    )


def _named(result: Result) -> str:
    return f"{result.rule} ({result.title})" if result.title else result.rule


def _answer(verdict: Verdict, found: Survey) -> str:
    """Entries of the log about the same evidence, or about a rule of it soon afterwards."""
    day, failed = verdict.finished.date(), {r.rule for r in verdict.results if r.blocking}
    name = "" if verdict.evidence is None else verdict.evidence.id
    systems = {one.id for one in found.systems if verdict.model.name in one.live}
    told = []
    for system, entry in found.entries:
        about = system in systems and entry.values.get("rule") in failed
        soon = entry.opened is not None and day <= entry.opened <= day + ANSWERED
        if (about and soon) or (name and name in str(entry.values.get("detected_by", ""))):
            done = templates.written(entry.sections.get("What was done"))
            told.append(f"{entry.path}: {done or 'nothing is written yet'}")
    return "; ".join(told)


def _afterwards(verdict: Verdict, found: Survey) -> str:
    """The next verdict by the same policy on the model, whichever version; empty for none."""
    later = [
        one
        for one in found.history.verdicts
        if one.finished > verdict.finished
        and (one.model.name, one.policy.id) == (verdict.model.name, verdict.policy.id)
    ]
    if not later:
        return ""
    next_one = later[0]
    met = f"{DECIDED[next_one.decision]} by version {next_one.model.version}"
    return f"{met} on {next_one.finished:%Y-%m-%d}"


def served_versions(found: Survey, when: Period) -> SheetTable:
    """Which version served from when to when, by signed promotions."""
    rows = []
    for move, until in spans(found):
        if move.at.date() <= when.ends and (until is None or until.at.date() >= when.begins):
            rows.append(
                SheetRow(
                    cells=(
                        move.model,
                        move.version,
                        f"{move.at:%Y-%m-%d %H:%M}",
                        "now" if until is None else f"{until.at:%Y-%m-%d %H:%M}",
                        f"{'rollback' if move.rollback else 'promotion'} by {move.who}",
                        move.digest,
                    )
                )
            )
    return SheetTable(
        title="Which versions served, from when to when (UTC)",
        heads=("model", "version", "from", "until", "by", "sha256 of the model's manifest"),
        rows=tuple(rows),
        empty="no signed promotion tells what served",
    )


def spans(found: Survey) -> Iterator[tuple[AliasMove, AliasMove | None]]:
    """Each move of a champion with the one that ended it."""
    moves = [one for one in found.history.moves if one.alias == CHAMPION]
    for place, move in enumerate(moves):
        yield move, next((one for one in moves[place + 1 :] if one.model == move.model), None)


def waivers(found: Survey, when: Period, rules: Collection[str] | None = None) -> SheetTable:
    """Each use of a waiver: which rule it let through, of whom, until when."""
    rows = []
    for verdict in within(found, when):
        said = verdict.standing.until if verdict.standing else ()
        ended = verdict.standing and verdict.standing.authenticity is Authenticity.EXPIRED
        for result in verdict.results:
            if result.outcome is not Outcome.WAIVED or not _wanted(result.rule, rules):
                continue
            whose = next((one for one in said if f" {result.waiver} of " in one), "")
            until = "" if result.expires is None else f"until {result.expires:%Y-%m-%d}"
            model = f"{verdict.model.name} {verdict.model.version}"
            text = whose or f"{result.waiver}, beside the evidence"
            rows.append(
                SheetRow(
                    cells=(f"{verdict.finished:%Y-%m-%d}", model, result.rule, until, text),
                    tone="warn" if ended else "quiet",
                )
            )
    return SheetTable(
        title="What was waived, by whom, until when",
        heads=("day", "model", "rule", "until", "whose, for whom, and why"),
        rows=tuple(rows),
        empty="no rule was waived in this period",
    )


def _wanted(rule: str, rules: Collection[str] | None) -> bool:
    return rules is None or rule in rules
