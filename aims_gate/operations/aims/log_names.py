"""Names in a new entry of the log: an owner, a rule, a link, evidence; each must be somewhere.

What no file tells is not asked: a draft of the list of people, a policy that is not there. A link
to somewhere else is a URL, and what people saw is said in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aims_gate.catalogue.iso42001 import requirement
from aims_gate.checks.record_cells import keys_of
from aims_gate.errors import GateError, UsageError, near
from aims_gate.governance.contract import Records
from aims_gate.governance.people import People
from aims_gate.governance.reader import read
from aims_gate.operations.aims.log import Opening, system_folders
from aims_gate.operations.aims.survey import listed
from aims_gate.operations.strangers import refuse_stranger
from aims_gate.policy.resolve import load

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_EVIDENCE = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}|(?:sha256:)?[0-9a-f]{12,64}")


def refuse_unknown(how: Opening, org: Path | None) -> None:
    """Refuse names that are nowhere among the records, the policies and the people.

    Raises:
        UsageError: (2) Of an owner who is nobody here today, a rule that no policy of the system
            has, a link that is no id of a record, risk, rule or requirement, or a word in
            `detected_by` that is no person, rule or evidence; with the near ones.
    """
    refuse_stranger(how.owner, org, how.today)
    kept = [read(folder, None) for folder in system_folders(how.folder, org)]
    kept.append(read(None, org))
    rules = set(_rules(how.folder))
    if how.rule and rules and how.rule not in rules:
        what = f"no policy of this system has the rule {how.rule!a}"
        raise UsageError(what, hint=near(how.rule, rules))
    known = {name for records in kept for name in _ids(records)}
    for link in how.links:
        if not (_URL.fullmatch(link) or link in known or link in rules or requirement(link)):
            what = f"no record, risk, rule or requirement is called {link!a}"
            raise UsageError(what, hint=f"{near(link, known | rules)}; or give a URL")
    _refuse_detector(how.detected_by, rules, People.of(kept[-1]))


def _refuse_detector(told: str, rules: set[str], people: People | None) -> None:
    """Refuse one word, or `evidence` and one, that names nothing; a sentence is free."""
    words = told.removeprefix("evidence ").split()
    if len(words) != 1 or _URL.fullmatch(words[0]) or _EVIDENCE.fullmatch(words[0]):
        return
    persons = () if people is None else people.persons
    if words[0] in rules or (people is not None and people.find(words)):
        return
    what = f"--detected-by {told!a} is no evidence, no rule and no person"
    close = near(words[0], [*rules, *(one.id for one in persons)])
    raise UsageError(what, hint=f"{close}; or say in a sentence what showed it")


def _ids(records: Records) -> Iterator[str]:
    for document in records.documents:
        yield from (document.id, document.path)
    for entry in records.entries:
        yield from (entry.id, entry.path)
    for register in records.of("risks"):
        yield from (str(row.get("id")) for row in listed(register.values, "risks"))


def _rules(folder: Path) -> Iterator[str]:
    """Rules of the policies that a system names; none where one of them is not to be read."""
    (system,) = read(folder, None).of("system")
    named = [one for one in keys_of(system.values.get("policy")).values() if isinstance(one, str)]
    try:
        policies = [load(str(folder / one), environ={}) for one in named]
    except GateError:
        return
    yield from (rule.id for policy in policies for rule in policy.rules)
