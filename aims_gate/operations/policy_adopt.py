"""Adopt the limits of a pack: a named person takes them for the organisation's own.

The adoption is a line of the policy, so it is reviewed and signed like the rest of it, and each
verdict names the person. It is of one version of a pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from aims_gate.documents.strict_yaml import MAX_BYTES, parse
from aims_gate.errors import PolicyError, UsageError, near
from aims_gate.operations.explain import required
from aims_gate.operations.strangers import refuse_stranger
from aims_gate.plan import plan
from aims_gate.policy.adoption import limits_of_packs
from aims_gate.policy.pin import replace_file
from aims_gate.policy.resolve import load
from aims_gate.policy.resolved_yaml import inline
from aims_gate.regular import read_regular

_LIST = re.compile(r"^adopted:[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedLimits:
    """A pack that was adopted, with what it asks."""

    pack: str
    limits: tuple[tuple[str, str], ...]
    """Id of each rule, and its limit in words."""


def adopt(
    path: Path,
    *,
    by: str,
    pack: str,
    today: date,
    environ: Mapping[str, str],
    org: Path | None = None,
) -> tuple[AdoptedLimits, ...]:
    """Write into a policy that a person adopts the limits that it takes from packs.

    Args:
        path: The policy file; it is replaced as a whole, or not at all.
        by: The person.
        pack: `NAME@VERSION`; empty for every pack that nobody has adopted yet.
        today: The day of the adoption.
        environ: Where git finds its settings, for parents in git.
        org: Records of the organisation, whose list of people has the person if it is sound.

    Raises:
        UsageError: Nobody is called so, there is nothing to adopt, or the file cannot be written.
        PolicyError: The policy is not sound.
    """
    if not by.strip():
        raise UsageError("nobody adopts it", hint="--by NAME, as the trust file names the person")
    refuse_stranger(by, org, today)
    policy = load(str(path), environ=environ)
    tasks = {task.rule.id: task for task in plan(policy).sound()}
    known = {one.pack for one in policy.adopted}
    open_ = {name: rules for name, rules in limits_of_packs(policy).items() if name not in known}
    found = {name: rules for name, rules in open_.items() if rules and pack in {"", name}}
    if not found:
        what = f"no limit of {pack or 'a pack'} waits for an adoption"
        raise UsageError(what, where=str(path), hint=near(pack, open_) if pack else "")
    entries = [{"pack": name, "by": by, "day": f"{today}"} for name in found]
    data = read_regular(path.resolve(), MAX_BYTES)
    tree, changed = parse(data, path.name).tree, _with(data.decode(), entries).encode()
    tree["adopted"] = [*entries, *tree.get("adopted", [])]
    try:
        same = parse(changed, path.name).tree == tree
    except PolicyError:
        same = False
    if not same:
        shown = ", ".join(map(inline, entries))
        hint = f"write it by hand, under adopted: {shown}"
        raise UsageError("it cannot be written into this layout", where=path.name, hint=hint)
    replace_file(path.resolve(), changed)
    return tuple(
        AdoptedLimits(
            pack=name, limits=tuple((rule.id, required(tasks[rule.id])) for rule in rules)
        )
        for name, rules in found.items()
    )


def _with(text: str, entries: list[dict[str, str]]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = newline.join(f"  - {inline(entry)}" for entry in entries)
    listed = _LIST.search(text)
    if listed is not None:
        return f"{text[: listed.end()]}{newline}{lines}{text[listed.end() :]}"
    gap = "" if text.endswith("\n") else newline
    return f"{text}{gap}adopted:{newline}{lines}{newline}"
