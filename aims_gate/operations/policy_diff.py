"""Policy diff: what a change tightens, loosens or changes, per rule and key.

Effective policies are compared: parents are merged and defaults filled in, so writing a default out
is no difference. `policy.key_tightness` defines what is tighter, as for inheritance; a whole policy
knows more defaults than the part of one that a child states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

import pydantic

from aims_gate.errors import PolicyError
from aims_gate.plan import Task, plan
from aims_gate.policy.grammar import LAST
from aims_gate.policy.inheritance import written
from aims_gate.policy.key_tightness import ALIAS, HEAD, RULE
from aims_gate.policy.model import Policy, WaiverTerms
from aims_gate.policy.read import Stated, read
from aims_gate.policy.tightness import LOOSENING, NOTHING, UNSET, Change, change


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDifference:
    """One key, or a whole rule, that differs."""

    rule: str
    """Empty for the policy's head."""
    change: Change
    key: str = ""
    """Empty for a whole rule."""
    before: str = ""
    after: str = ""
    place: str = ""
    """Where the new policy says so; the old one for what is gone."""
    why: str = ""
    """The new policy's reason for the rule, in words for people."""


_EFFECTIVE = frozenset({"engine", "on_insufficient"})
"""Keys of the head that are compared rule by rule, where they count."""


def diff(old: Policy, new: Policy) -> tuple[KeyDifference, ...]:
    """Compare two sound policies; PolicyError if one is not."""
    before, after = _ComparedPolicy.of(old), _ComparedPolicy.of(new)
    found = list(_compared("", before.head, after.head))
    for name in dict.fromkeys([*before.rules, *after.rules]):
        if name not in after.rules:
            place = str(before.tasks[name].rule.place)
            found.append(KeyDifference(rule=name, change=Change.REMOVED, place=place))
        elif name not in before.rules:
            place = str(after.tasks[name].rule.place)
            found.append(KeyDifference(rule=name, change=Change.ADDED, place=place))
        else:
            found += _compared(name, before.rules[name], after.rules[name])
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ComparedPolicy:
    head: Stated
    rules: Mapping[str, Stated]
    tasks: Mapping[str, Task]

    @classmethod
    def of(cls, policy: Policy) -> _ComparedPolicy:
        """Read the resolved document, and complete each rule by what its check adds."""
        tasks = {task.rule.id: task for task in plan(policy, beside=True).sound()}
        layer, problems = read(policy.document, policy.uri)
        if layer is None:  # pragma: no cover  # resolve wrote it, and read it again
            raise PolicyError(problems)
        # of a whole policy nothing is left to a child: no source is allowed, every model meant
        whole = {
            "sources.allow": [],
            "applies_to.models": ["*"],
            "applies_to.stages": policy.stages,
            **{f"waivers.{f.name}": f.default for f in fields(WaiverTerms) if f.default != ()},
        }
        head = {k: v for k, v in layer.head.values.items() if k not in _EFFECTIVE}
        if any(task.judged.alias for task in tasks.values()):
            head[ALIAS] = True
        rules = {
            name: Stated(
                values={**stated.values, **_effective(tasks[name], policy)},
                place=tasks[name].rule.place,
                places=tasks[name].rule.places,
            )
            for name, stated in layer.rules.items()
        }
        place = layer.head.place
        return cls(head=Stated(values=whole | head, place=place), rules=rules, tasks=tasks)


def _effective(task: Task, policy: Policy) -> dict[str, Any]:
    threshold = task.threshold
    both = threshold.at_least is not None and threshold.at_most is not None
    limits = {
        "require.at_least": None if both else threshold.at_least,
        "require.at_most": None if both else threshold.at_most,
        "require.between": [threshold.at_least, threshold.at_most] if both else None,
    }
    reaction = task.rule.on_insufficient or policy.on_insufficient
    return {
        **{key: value for key, value in limits.items() if value is not None},
        **{f"with.{f.name}": _plain(getattr(task.check, f.name)) for f in fields(task.check)},
        "decide_on": task.decide_on.value,
        "engine": task.engine,
        "on_insufficient": reaction.value if reaction else LAST,
        "controls": list(task.controls),
        # more rules leave each a smaller part of what they share
        **({"alpha": task.alpha} if policy.alpha_scope == "policy" else {}),
    }


def _compared(name: str, before: Stated, after: Stated) -> Iterator[KeyDifference]:
    orders = RULE if name else HEAD
    for key in dict.fromkeys([*before.values, *after.values]):
        if key == ALIAS:  # its rule tells of it
            continue
        old, new = (orders.value(side.values, key) for side in (before, after))
        found = change(orders.holds(key), old, new)
        if found is not None:
            yield KeyDifference(
                rule=name,
                change=found,
                key=key,
                before=_written(old),
                after=_written(new),
                place=str(after.at(key)) if name else "",
                why=" ".join(str(after.values.get("why", "")).split()),
            )


def _plain(value: Any) -> Any:
    """A check's parameter as plain data, which can be compared."""
    return pydantic.TypeAdapter(Any).dump_python(value, mode="json")


def _written(value: Any) -> str:
    return "nothing" if value in (UNSET, NOTHING, "", None, (), []) else written(value)


def unexplained(differences: Iterable[KeyDifference]) -> frozenset[str]:
    """Ids of the rules that are loosened without a new `why`; empty for the policy's head.

    The head and a rule that is gone have no place for a reason, so their loosening has none.
    """
    found = list(differences)
    loosened = {one.rule for one in found if one.change in LOOSENING}
    reasons = {one.rule for one in found if one.rule and one.key == "why" and one.why}
    return frozenset(loosened - reasons)


def told(differences: Iterable[KeyDifference]) -> Iterator[str]:
    """The differences as lines for a pull request, rule by rule, with a count at the end."""
    found = list(differences)
    silent = unexplained(found)
    for rule, group in groupby(found, key=lambda one: one.rule):
        yield rule or "the policy"
        for one in group:
            what = f"{one.key}: {one.before} -> {one.after}" if one.key else "the whole rule"
            yield f"  {one.change:<9}  {what}" + (f"  ({one.place})" if one.place else "")
        if rule in silent:
            stated = (
                "where no why can be stated" if not rule or not one.key else "without a new why"
            )
            yield f"  loosened {stated}" + (f"; it says: {one.why}" if one.why else "")
    counts = [(sum(one.change is change for one in found), change) for change in Change]
    yield ", ".join(f"{n} {change}" for n, change in counts if n) or "no difference"
