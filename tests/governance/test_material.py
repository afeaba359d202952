"""What moved is asked again by name, and an unchanged retrain asks nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.governance import material, reader
from aims_gate.governance.contract import Records
from aims_gate.governance.kinds import KINDS
from tests.support.records import edit, write_records

TODAY = {
    "flavour": ("sklearn",),
    "inputs": ("age: double", "income: double"),
    "sources": ("loans",),
    "use": ("Consumer loans",),
    "tier": ("high",),
    "protected": ("sex",),
    "threshold": ("0.5",),
    "suppliers": (),
}


def assessed(root: Path) -> Records:
    """Records that were assessed for what is so today."""
    folders = write_records(root)
    for name in ("risks.yaml", "impact.md", "card.md", "architecture.md"):
        path = root / "aims" / name
        kind = path.stem
        path.write_text(
            material.assessed(path.read_text("utf-8"), kind, material.digests(TODAY)), "utf-8"
        )
    records = replace(reader.read(*folders), material=TODAY)
    assert not list(records.all_problems())
    return records


def asked_again(records: Records) -> dict[str, tuple[str, ...] | None]:
    found = {one.kind: material.moved(one, records) for one in records.documents}
    return {kind: parts for kind, parts in found.items() if parts != ()}


def test_an_unchanged_retrain_asks_nothing(tmp_path: Path) -> None:
    assert asked_again(assessed(tmp_path)) == {}


@pytest.mark.parametrize("part", material.PARTS)
def test_a_part_that_moves_asks_only_for_what_depends_on_it(tmp_path: Path, part: str) -> None:
    records = replace(assessed(tmp_path), material={**TODAY, part: ("another",)})
    expected = {kind: (part,) for kind, parts in material.DEPENDS.items() if part in parts}
    assert asked_again(records) == expected
    assert "risks" in expected


def test_a_new_input_does_not_ask_for_the_impact_again(tmp_path: Path) -> None:
    inputs = (*TODAY["inputs"], "tenure: long")
    records = replace(assessed(tmp_path), material={**TODAY, "inputs": inputs})
    assert set(asked_again(records)) == {"risks", "card", "architecture"}


def test_the_order_of_columns_is_not_material() -> None:
    turned = {part: tuple(reversed(values)) for part, values in TODAY.items()}
    assert material.digests(turned) == material.digests(TODAY)
    assert material.digests({"inputs": ("a", "b")}) != material.digests({"inputs": ("ab",)})


def test_nobody_knows_what_moved_without_what_was_assessed_or_what_is_so(tmp_path: Path) -> None:
    records = assessed(tmp_path)
    assert asked_again(replace(records, material={}))["risks"] is None
    part = {key: value for key, value in TODAY.items() if key != "tier"}
    assert asked_again(replace(records, material=part))["impact"] is None
    fresh = replace(reader.read(*write_records(tmp_path / "new")), material=TODAY)
    assert asked_again(fresh)["risks"] is None


def test_a_part_that_was_not_assessed_moved(tmp_path: Path) -> None:
    records = assessed(tmp_path)
    path = tmp_path / "aims/impact.md"
    edit(path, f"  tier: {material.digests(TODAY)['tier']}\n", "")
    again = replace(reader.read(records.system, records.org), material=TODAY)
    assert asked_again(again) == {"impact": ("tier",)}


def test_what_was_assessed_is_written_over_and_nothing_else_changes(tmp_path: Path) -> None:
    assessed(tmp_path)
    text = (tmp_path / "aims/impact.md").read_text("utf-8") + "\nmaterial:\n  mine: here\n"
    again = material.assessed(text, "impact", material.digests({**TODAY, "tier": ("low",)}))
    changed = [(a, b) for a, b in zip(text.splitlines(), again.splitlines(), strict=True) if a != b]
    assert [a.split(":")[0].strip() for a, _ in changed] == ["tier"]
    assert material.assessed(again, "runbook", material.digests(TODAY)) == again


def test_the_kinds_that_depend_are_kinds() -> None:
    assert set(material.DEPENDS) < set(KINDS)
    assert all(set(parts) <= set(material.PARTS) for parts in material.DEPENDS.values())
