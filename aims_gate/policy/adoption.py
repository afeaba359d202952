"""Whose limits a policy applies: its own, or a pack's, which a named person adopted or nobody did.

ISO/IEC 42001 states no number. A pack's limits are proposals until somebody in the organisation
takes them for its own, and an adoption is of one version: the next one is asked for anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from aims_gate.documents.strict_yaml import parse
from aims_gate.errors import Problem, UsageError
from aims_gate.policy import packs
from aims_gate.policy.model import Adoption, Policy, Rule

PACK = "pack:"
_SKEW = timedelta(days=1)
"""A day begins earlier elsewhere."""
UNADOPTED = "limits that nobody here has adopted"


def limits_of_packs(policy: Policy) -> dict[str, tuple[Rule, ...]]:
    """Rules whose limit comes from a pack, by `NAME@VERSION`; also packs that bring none."""
    known = [policy.uri, *(one.uri for one in policy.extends)]
    found: dict[str, list[Rule]] = {
        uri.removeprefix(PACK): [] for uri in known if uri.startswith(PACK)
    }
    for rule in policy.rules:
        origin = limit_origin(rule)
        if origin.startswith(PACK):
            found.setdefault(origin.removeprefix(PACK), []).append(rule)
    return {pack: tuple(rules) for pack, rules in found.items()}


def limit_origin(rule: Rule) -> str:
    """The file or pack that states a rule's limit; of a customary one, that states its check."""
    limits = ("require.at_least", "require.at_most", "require.between", "check")
    stated = (rule.places[key].file for key in limits if key in rule.places)
    return next(stated, rule.place.file)


def limit_sentences(
    policy: Policy, objection: Callable[[Adoption], str] = lambda _: ""
) -> Iterator[str]:
    """Say of each pack whose limits are applied who adopted them, and what they are to the law.

    Args:
        policy: With its adoptions, as people typed them.
        objection: Why an adoption is nobody's here; empty where it counts.
    """
    for pack, rules in limits_of_packs(policy).items():
        if not rules:
            continue
        counted = f"{pack}: {len(rules)}"
        yes = next((one for one in policy.adopted if one.pack == pack), None)
        against = objection(yes) if yes is not None else ""
        if yes is None or against:
            told = f"{counted} {UNADOPTED}{f' ({against})' if against else ''}"
        else:
            told = (
                f"{counted} limits, adopted by {yes.by} on {yes.day:%Y-%m-%d}, as the policy says"
            )
        yield "; ".join(filter(None, (told, legal_status(pack))))


def adoption_problems(policy: Policy, now: datetime | None) -> Iterator[Problem]:
    """Adoptions that say nothing: of what the policy does not extend, and on a day to come."""
    extended = limits_of_packs(policy)
    for one in policy.adopted:
        if now is not None and one.day > now + _SKEW:
            what = f"adopted says that {one.pack} was adopted on {one.day:%Y-%m-%d}, a day to come"
            yield Problem(file=policy.uri, line=0, what=what, hint="aims-gate policy adopt")
        if policy.extends and one.pack not in extended:
            what = f"adopted names {one.pack}, which the policy does not extend"
            hint = f"it extends {', '.join(extended) or 'no pack'}; adopt that version anew"
            yield Problem(file=policy.uri, line=0, what=what, hint=hint)


def legal_status(pack: str) -> str:
    """Legal status, day and source of a pack; empty for one that states none."""
    try:
        metadata = parse(packs.read_pack(pack), pack).tree["metadata"]
    except UsageError:  # of another folder of packs than the shipped one
        return ""
    if "legal_status" not in metadata:
        return ""
    return f"{metadata['legal_status']} (as of {metadata['as_of']}, {metadata['source']})"
