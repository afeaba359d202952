"""Material digest: what assessments rest on, by part, and which document depends on which part.

While it stands, assessments are reused; when a part moves, what depends on that part is asked
again. Rows, patch versions and metrics are no part of it: a retrain on new rows asks nobody.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from aims_gate import canonical
from aims_gate.governance.contract import RecordDocument, Records

PARTS = (
    *("flavour", "inputs", "sources", "use"),
    *("tier", "protected", "threshold", "suppliers"),
)
"""Model flavour, names and types of inputs, data sources, intended use, tier, protected attributes,
decision threshold, suppliers."""
DEPENDS: Mapping[str, tuple[str, ...]] = {
    "risks": PARTS,
    "impact": ("use", "tier", "protected", "threshold"),
    "card": ("flavour", "inputs", "sources", "use", "protected", "threshold"),
    "architecture": ("flavour", "inputs", "sources", "suppliers"),
}
"""Parts by kind of document; the other kinds depend on none."""
_KEY = "material"
_KEYS = re.compile(r"\A---\r?\n.*?^---", re.MULTILINE | re.DOTALL)
_KIND = re.compile(r"^kind:[^\n]*\n", re.MULTILINE)
_BLOCK = re.compile(rf"^{_KEY}:[^\n]*\n(?:[ \t]+[^\n]*\n)*", re.MULTILINE)


def of_system(records: Records) -> Mapping[str, tuple[str, ...]]:
    """Parts that the records themselves state; none of them where `system.yaml` has a fault."""
    found = records.of("system")
    if len(found) != 1 or found[0].problems:
        return {}
    values = found[0].values
    use = values["intended_use"]
    return {
        "sources": tuple(
            str(one.values.get("source", one.path)) for one in records.of("data-sheet")
        ),
        "use": (use["text"], *use.get("not_for", ()), *values["affected"]),
        "tier": (values["tier"],),
        "suppliers": values.get("suppliers", ()),
    }


def digests(material: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """SHA-256 of each part; the order within a part says nothing."""
    return {
        part: hashlib.sha256(canonical.encode(sorted(values))).hexdigest()
        for part, values in material.items()
    }


def moved(document: RecordDocument, records: Records) -> tuple[str, ...] | None:
    """Parts that a document depends on and that are not what it was assessed for.

    None where nobody knows: it says not what it was assessed for, or today's are not known.
    """
    parts = DEPENDS.get(document.kind, ())
    if not parts:
        return ()
    then, now = document.values.get(_KEY), digests(records.material)
    if not isinstance(then, Mapping) or any(part not in now for part in parts):
        return None
    return tuple(part for part in parts if then.get(part) != now[part])


def assessed(text: str, kind: str, now: Mapping[str, str]) -> str:
    """The text of a document, with the digests of what it is assessed for today among its keys."""
    lines = [f"  {part}: {now[part]}" for part in DEPENDS.get(kind, ()) if part in now]
    if not lines:
        return text
    block = "\n".join((f"{_KEY}:", *lines, ""))
    keys = _KEYS.match(text)
    end = len(text) if keys is None else keys.end()
    head, rest = text[:end], text[end:]
    place = _BLOCK if _BLOCK.search(head) else _KIND
    return place.sub(lambda found: block if place is _BLOCK else found[0] + block, head, 1) + rest


def unassessed(data: bytes) -> bytes:
    """The bytes of a document without what it was assessed for."""
    text = data.decode(errors="surrogateescape")
    keys = _KEYS.match(text)
    end = len(text) if keys is None else keys.end()
    return (_BLOCK.sub("", text[:end], count=1) + text[end:]).encode(errors="surrogateescape")
