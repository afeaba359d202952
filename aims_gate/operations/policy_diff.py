"""What a change of a policy does: per rule and key tightened, loosened or changed.

Compared is what is applied, not what is written: parents are merged and defaults filled in, so a
default that is written out is no difference. The orders are those of inheritance, from
`policy.orders`, except where a key that is left out has a meaning that only a whole policy knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from aims_gate.errors import PolicyError
from aims_gate.plan import Task, plan
from aims_gate.policy import orders
from aims_gate.policy.model import Policy
from aims_gate.policy.orders import UNSET, Holds
from aims_gate.policy.read import Stated, read
from aims_gate.policy.tighter import written


class Change(StrEnum):
    """What became of a rule or of one of its keys."""

    TIGHTENED = "tightened"
    LOOSENED = "loosened"
    CHANGED = "changed"
    """Neither is tighter, or nothing says which."""
    ADDED = "added"
    """A rule that was not there."""
    REMOVED = "removed"
    """A rule that is gone, which loosens."""
    REWORDED = "reworded"
    """Words for people, which decide nothing."""


LOOSENING = frozenset({Change.LOOSENED, Change.CHANGED, Change.REMOVED})
"""What `--fail-on-loosen` refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
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


_LAST = "block at the last stage"
_WORDS = frozenset({"title", "why", "approved_by"})
_OWN_WORDS = frozenset({"apiVersion", "kind", "metadata.id", "metadata.version", "metadata.owner"})
_REACTIONS = ("warn", _LAST, "block")


def _reaction(before: Any, after: Any) -> bool:
    return _REACTIONS.index(after) >= _REACTIONS.index(before)


def _allowed(before: Any, after: Any) -> bool:
    """Fewer sources are tighter, and none is what is left out."""
    fewer = set(() if after is UNSET else after)
    return fewer <= set(() if before is UNSET else before)


def _less(before: Any, after: Any) -> bool:
    return bool((0.0 if after is UNSET else after) <= (0.0 if before is UNSET else before))


def _debt(before: Any, after: Any) -> bool:
    """No baseline is the tightest; one value or owner is neither tighter than another."""
    return after is UNSET or (before is not UNSET and before == after)


def _term(before: Any, after: Any) -> bool:
    return after is UNSET or (before is not UNSET and after <= before)


_RULE: Mapping[str, Holds] = {
    "on_insufficient": _reaction,
    "grace_days": _less,
    "baseline.value": _debt,
    "baseline.owner": _debt,
    "baseline.expires": _term,
}
_HEAD: Mapping[str, Holds] = {"sources.allow": _allowed}
_EFFECTIVE = frozenset({"engine", "on_insufficient"})
"""Keys of the head that are compared rule by rule, where they count."""


def diff(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """Compare two sound policies; PolicyError if one is not."""
    before, after = _Side.of(old), _Side.of(new)
    found = list(_compared("", before.head, after.head))
    for name in dict.fromkeys([*before.rules, *after.rules]):
        if name not in after.rules:
            place = str(before.tasks[name].rule.place)
            found.append(Difference(rule=name, change=Change.REMOVED, place=place))
        elif name not in before.rules:
            place = str(after.tasks[name].rule.place)
            found.append(Difference(rule=name, change=Change.ADDED, place=place))
        else:
            found += _compared(name, before.rules[name], after.rules[name])
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    head: Stated
    rules: Mapping[str, Stated]
    tasks: Mapping[str, Task]

    @classmethod
    def of(cls, policy: Policy) -> _Side:
        """Read the resolved document, and complete each rule by what its check adds."""
        tasks = {task.rule.id: task for task in plan(policy).sound()}
        layer, problems = read(policy.document, policy.uri)
        if layer is None:  # pragma: no cover  # resolve wrote it, and read it again
            raise PolicyError(problems)
        head = {k: v for k, v in layer.head.values.items() if k not in _EFFECTIVE}
        rules = {
            name: Stated(
                values={**stated.values, **_effective(tasks[name], policy)},
                place=tasks[name].rule.place,
                places=tasks[name].rule.places,
            )
            for name, stated in layer.rules.items()
        }
        place = layer.head.place
        return cls(head=Stated(values=head, place=place), rules=rules, tasks=tasks)


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
        **{f"with.{f.name}": getattr(task.check, f.name) for f in fields(task.check)},  # type: ignore[arg-type]  # a dataclass
        "decide_on": task.decide_on.value,
        "engine": task.engine,
        "on_insufficient": reaction.value if reaction else _LAST,
        "controls": list(task.controls),
    }


def _compared(name: str, before: Stated, after: Stated) -> Iterator[Difference]:
    for key in dict.fromkeys([*before.values, *after.values]):
        old, new = (side.values.get(key, UNSET) for side in (before, after))
        change = _change(name, key, old, new)
        if change is not None:
            yield Difference(
                rule=name,
                change=change,
                key=key,
                before=_written(old),
                after=_written(new),
                place=str(after.at(key)) if name else "",
            )


def _change(name: str, key: str, old: Any, new: Any) -> Change | None:
    if repr(_listed(old)) == repr(_listed(new)):
        return None
    if key in (_WORDS if name else _OWN_WORDS):
        return Change.REWORDED
    holds = _RULE.get(key, orders.rule_order(key)) if name else _head_order(key)
    tightens, loosens = (holds(old, new), holds(new, old)) if holds else (False, False)
    if tightens and loosens:
        return None
    if not tightens and not loosens:
        return Change.CHANGED
    return Change.TIGHTENED if tightens else Change.LOOSENED


def _head_order(key: str) -> Holds | None:
    """Give the order of a key of the head; None for those that a child may only complete."""
    ordered = key == "metadata.expires" or key.startswith("data.")
    return _HEAD.get(key) or (orders.HEAD.get(key) if ordered else None)


def _listed(value: Any) -> Any:
    return list(map(_listed, value)) if isinstance(value, list | tuple) else value


def _written(value: Any) -> str:
    return "nothing" if value in (UNSET, "", None, ()) else written(value)


def told(differences: Iterable[Difference]) -> Iterator[str]:
    """Say *differences* in lines for a pull request, rule by rule, and count them at the end."""
    found = list(differences)
    rule = None
    for one in found:
        if one.rule != rule:
            rule = one.rule
            yield rule or "the policy"
        what = f"{one.key}: {one.before} -> {one.after}" if one.key else "the whole rule"
        yield f"  {one.change:<9}  {what}" + (f"  ({one.place})" if one.place else "")
    counts = [(sum(one.change is change for one in found), change) for change in Change]
    yield ", ".join(f"{n} {change}" for n, change in counts if n) or "no difference"
