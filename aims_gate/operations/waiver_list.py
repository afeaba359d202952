"""Waivers of a folder, signed and drafted: what each excuses, and the day on which that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.errors import PolicyError, UsageError
from aims_gate.evidence.revocations import FOLDER, unrevoked
from aims_gate.operations.signoff import read_draft
from aims_gate.signoffs import folder as signoffs
from aims_gate.signoffs import kinds
from aims_gate.signoffs.folder import Signed, Unsound
from aims_gate.signoffs.grammar import WaiverSaid, WaiverText


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of a list of waivers."""

    id: str
    state: str
    """`signed`, `draft`, `expired` or `does not hold`."""
    what: str
    """Rule and model."""
    expires: datetime | None = None
    detail: str = ""


def listing(folder: Path, trust: Path | None, *, now: datetime) -> tuple[Listed, ...]:
    """List signed waivers and drafts of a folder, the first to end first.

    Signatures are verified; whether a waiver holds for a model is the gate's to say.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder of waivers", where=str(folder))
    known = None
    if trust is not None:
        known = unrevoked(trust_file.load(trust), trust.parent / FOLDER, now=now)
    loaded = signoffs.load(folder, kinds.WAIVER, trust=known, now=now)
    signed = {one.said.id: one.said for one in loaded if isinstance(one.said, WaiverSaid)}
    found = [_listed(one, now) for one in loaded]
    drafts = (_drafted(path, now, signed) for path in sorted(folder.glob("*.yaml")))
    found += [one for one in drafts if one is not None]
    far = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda one: (one.expires or far, one.id)))


def _listed(one: Signed[WaiverSaid] | Unsound, now: datetime) -> Listed:
    if isinstance(one, Unsound):
        return Listed(id=one.id, state="does not hold", what=one.where, detail=one.what)
    text = one.said
    people = ", ".join(sorted(key.person for key in one.keys))
    return Listed(
        id=text.id,
        state="expired" if now >= text.expires else "signed",
        what=_about(text),
        expires=text.expires,
        detail=f"by {people} for {text.requested_by}",
    )


def _drafted(path: Path, now: datetime, signed: Mapping[str, WaiverSaid]) -> Listed | None:
    """A draft that nobody signed as it stands; None if somebody did."""
    try:
        text, _tree = read_draft(path)
    except (UsageError, PolicyError) as error:
        what = error.what.splitlines()[0]
        return Listed(id=path.stem, state="draft", what=path.name, detail=what)
    state = "expired" if now >= text.expires else "draft"
    said = signed.get(text.id)
    if said is not None:
        shared = set(type(text).model_fields) & set(WaiverSaid.model_fields)
        if all(getattr(text, name) == getattr(said, name) for name in shared):
            return None
        detail = "it was signed in another wording, which is what counts"
        return Listed(id=text.id, state=state, what=path.name, expires=text.expires, detail=detail)
    about = _about(text) if isinstance(text, WaiverText) else path.name
    return Listed(id=text.id, state=state, what=about, expires=text.expires, detail="not signed")


def _about(text: WaiverText | WaiverSaid) -> str:
    version = f" {text.model.version}" if text.model.version else ""
    return f"{text.rule} of {text.model.name}{version}"
