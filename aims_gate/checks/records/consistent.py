"""Consistency of records with the run, the policy and the model's signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import (
    COUNTS,
    chosen,
    counted,
    faults,
    keys_of,
    missing,
    records_of,
    texts,
    wrong_below,
)
from aims_gate.checks.records.numbers import numbers
from aims_gate.checks.rule_outcomes import measured, of_rule
from aims_gate.checks.rule_patterns import fits, pattern_problems
from aims_gate.facts import Statistic
from aims_gate.governance.contract import RecordDocument
from aims_gate.verdict import Result

Aspect = Literal["numbers", "objectives", "inventory", "groups", "inputs", "suppliers"]
_SUPPLIERS = ("suppliers", "supplier")
"""Keys by which a system and a data sheet name them."""
_MEASURED = ("rule", "measured_in", "unmeasured")
"""Keys of an objective that say what measures it, or why nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistent:
    """Whether the records say what this run found, and what the policy and the model say."""

    about: ClassVar[About] = About(
        name="records.consistent",
        summary="Whether records say the same as the run, the policy and the model's signature.",
        definition=COUNTS
        + (
            "numbers: each metric of the card is the value that its rule measured in this run, "
            "rounded to four decimals, and each rule of performance and fairness that measured "
            "has one; the card names the digest of these very bytes; the generated lines of card "
            "and data sheets are what this run says. objectives: each is bound to a rule that "
            "measured in this run, or says where or why not. inventory: the system lists the "
            "registered name. groups: the impact assessment covers each protected "
            "attribute of the policy. inputs: the architecture shows the columns of the model's "
            "signature, no more and no less. suppliers: the organisation lists each supplier that "
            "the system and the data sheets name. MISSING: a record, a number or a signature that "
            "is not there, or a card about another model."
        ),
        controls=("iso42001:6.2", "iso42001:A.6.2.2", "iso42001:A.6.2.7", "iso42001:A.9.4"),
        after="judge",  # the groups that data name are not known where evidence is signed
        undecided=(
            "the card is about other bytes, or names no number",
            "an objective's rule is not in the policy, or measured nothing",
            "a record that is compared is not there",
        ),
    )

    of: tuple[Aspect, ...] = get_args(Aspect)
    """What is compared."""
    elsewhere: tuple[str, ...] = ()
    """Patterns of rules that another policy runs where this one has none of that name, such as
    `MON-*`: no objective fails for them."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of contradictions."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse nothing to compare, and a pattern that leaves every rule to others."""
        if not self.of:
            yield "of", "nothing is compared", f"one or more of {', '.join(get_args(Aspect))}"
        yield from pattern_problems("elsewhere", self.elsewhere)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compare each aspect with the record that states it."""
        records = records_of(inputs)
        compare: Mapping[Aspect, tuple[str, Callable[[RecordDocument, Inputs], Any]]] = {
            "numbers": ("card", numbers),
            "objectives": ("system", self._objectives),
            "inventory": ("system", _inventory),
            "groups": ("impact", _groups),
            "inputs": ("architecture", _inputs),
            "suppliers": ("suppliers", _suppliers),
        }
        for aspect in self.of:
            kind, cells = compare[aspect]
            for found in chosen(records, (kind,)):
                if isinstance(found, Statistic):
                    yield found
                else:
                    yield from cells(found, inputs)

    def _objectives(self, system: RecordDocument, inputs: Inputs) -> Iterator[Statistic]:
        listed = system.values.get("objectives")
        if not isinstance(listed, tuple) or not listed:
            yield missing(f"{system.path} objectives", "there is none")
            return
        for number, found in enumerate(listed):
            objective = keys_of(found)
            place = f"objectives[{number}]"
            where, rule = f"{system.path} {place}", objective.get("rule")
            wrong = [one for key in _MEASURED for one in wrong_below(system, f"{place}.{key}")]
            result = of_rule(rule, inputs.results) if isinstance(rule, str) else None
            if isinstance(rule, str) and (result or not fits(rule, self.elsewhere)):
                yield _bound(where, rule, result)
            elif rule is None and not any(key in objective for key in _MEASURED):
                yield missing(where, "no rule measures it, and nothing says why")
            else:
                yield faults(where, wrong)


def _bound(where: str, rule: str, result: Result | None) -> Statistic:
    if result is None:
        return missing(where, f"the policy has no rule {rule}")
    if not measured(result):
        return missing(where, f"{rule} measured nothing: {result.reason}")
    return faults(where, (), sound=f"{rule} measured it")


def _inventory(system: RecordDocument, inputs: Inputs) -> Iterator[Statistic]:
    name, where = inputs.subject.model.registered, f"{system.path} registry"
    if not name:
        yield missing(where, "the model has no registered name: gate models:/NAME/VERSION")
        return
    listed = texts(system.values.get("registry"))
    wrong = [] if name in listed else [f"{name} is not among the models of {system.id}"]
    yield faults(where, wrong)


def _groups(impact: RecordDocument, inputs: Inputs) -> Iterator[Statistic]:
    where, protected = f"{impact.path} groups", records_of(inputs).material.get("protected")
    if protected is None:
        yield missing(where, "nobody knows which attributes the policy protects")
        return
    unseen = sorted(set(protected) - set(texts(impact.values.get("groups"))))
    yield faults(where, [f"it leaves out {', '.join(unseen)}"] if unseen else [])


def _inputs(architecture: RecordDocument, inputs: Inputs) -> Iterator[Statistic]:
    where, signature = f"{architecture.path} inputs", inputs.subject.signature
    if signature is None or not signature.inputs:
        yield missing(where, "the model has no signature that names its inputs")
        return
    drawn = set(texts(architecture.values.get("inputs")))
    real = {name for name, _type, _required in signature.inputs}
    unseen, gone = sorted(real - drawn), sorted(drawn - real)
    wrong = [f"the model reads {', '.join(unseen)}, which it does not show"] if unseen else []
    wrong += [f"it shows {', '.join(gone)}, which the model does not read"] if gone else []
    yield faults(where, wrong)


def _suppliers(suppliers: RecordDocument, inputs: Inputs) -> Iterator[Statistic]:
    records, listed = records_of(inputs), suppliers.values.get("suppliers")
    rows = map(keys_of, listed if isinstance(listed, tuple) else ())
    known = [row.get("id") for row in rows]
    for document in chosen(records, ("system", "data-sheet")):
        if isinstance(document, Statistic):
            yield document
            continue
        named = [text for key in _SUPPLIERS for text in texts(document.values.get(key))]
        gone = [f"{one} is not in {suppliers.path}" for one in named if one not in known]
        yield faults(f"{document.path} suppliers", gone)
