"""Attempts to loosen a floor by extending it; `check`, `diff` and the gate say the same of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.policy.model import OnInsufficient
from aims_gate.policy.resolve import resolve

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {{id: {}, version: "1"}}\n'
RULES = "rules:\n  - {id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}}\n"
DIGEST = "ab" * 32
STATED = (
    f'source: "artifact:e.parquet", sha256: {DIGEST}, label: y, prediction: yhat, positive: 1, '
    "sensitive: [sex], min_rows: 2000"
)


def written(floor: str, child: str) -> str:
    """Merge two roles by hand, as a child that is accepted would be."""
    stated = dict(_pairs(floor)) | dict(_pairs(child))
    inner = ", ".join(f"{key}: {value}" for key, value in stated.items())
    return f"data: {{evaluation: {{{inner}}}}}\n"


def _pairs(keys: str) -> list[tuple[str, str]]:
    """Split `a: 1, b: [x]` where no value has a comma."""
    found = [part.partition(": ") for part in keys.split(", ")]
    return [(key, value) for key, _, value in found]


FLOORS = f"min_rows: 2000, max_age_days: 31, sha256: {DIGEST}"
LOOSENED = [
    (STATED, 'join: [{source: "artifact:w.parquet", on: id}], weight: w'),
    (STATED, "weight: w"),
    (STATED.replace("positive: 1, ", ""), "positive: 0"),
    (STATED, "max_null_labels: 0.4"),
    (STATED, "key: id"),
    (STATED, "time: in_the_future"),
    (STATED, "window: {days: 1}"),
    (STATED, "task: multiclass"),
    (STATED, "query: q"),
    (STATED, "min_rows: 1999"),
    ("label: y", "prediction: copy_of_y"),
    ("sensitive: [sex]", "label: coin"),
    ('source: "artifact:e.parquet"', "label: easy"),
    ("prediction: yhat", "score: p"),
    ("score: p", "prediction: copy_of_y"),
    ("score: p", "threshold: 0.01"),
    ("label: y, score: p", "threshold: 0.5"),  # unstated, scores outside [0, 1] are refused
    ("predictions: model", "environment: model"),
    ("min_rows: 2000", "max_null_labels: 0.4"),
]
KEPT = [
    (FLOORS, "label: y, prediction: yhat, positive: 1, sensitive: [sex], weight: w"),
    (FLOORS, 'join: [{source: "artifact:w.parquet", on: id}], source: "artifact:e.parquet"'),
    ("positive: 1", "label: y, prediction: yhat"),
    ("predictions: model, min_rows: 9", "label: y, positive: 1, sensitive: [sex]"),
    (STATED, "min_rows: 3000, max_age_days: 31"),
    ("label: y, prediction: yhat", f"sha256: {DIGEST}"),
    ("label: y, prediction: yhat", "max_null_labels: 0"),
]


@pytest.mark.parametrize(("floor", "child", "sound"), [
    *((floor, child, False) for floor, child in LOOSENED),
    *((floor, child, True) for floor, child in KEPT),
])  # fmt: skip
def test_check_and_diff_say_the_same_of_what_a_child_does_to_a_role(
    floor: str, child: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sound: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    above = f"data: {{evaluation: {{{floor}}}}}\n{RULES}"
    Path("floor.yaml").write_text(HEAD.format("floor") + above, encoding="utf-8")
    below = f"extends: [{{uri: file:floor.yaml}}]\ndata: {{evaluation: {{{child}}}}}\n"
    Path("child.yaml").write_text(HEAD.format("child") + below, encoding="utf-8")
    alone = written(floor, child) + RULES
    Path("alone.yaml").write_text(HEAD.format("alone") + alone, encoding="utf-8")
    assert guarded(["policy", "pin", "child.yaml"]) == 0
    assert guarded(["policy", "check", "child.yaml"]) == (0 if sound else 2)
    loosened = guarded(["policy", "diff", "floor.yaml", "alone.yaml", "--fail-on-loosen"])
    assert loosened == (0 if sound else 1)


@pytest.mark.parametrize(("alias", "sound"), [(", alias: champion", False), ("", True)])
@pytest.mark.parametrize("keys", ['source: "file:weak.parquet"', "prediction: weak"])
def test_a_champion_that_a_floor_names_by_its_alias_is_not_replaced(
    alias: str, keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sound: bool
) -> None:
    """Beside answers that a child chooses, no candidate is the worse one."""
    monkeypatch.chdir(tmp_path)
    floor = (
        "rules:\n  - {id: PERF-02, check: performance.champion, with: {metric: accuracy"
        f"{alias}}}, require: {{at_least: -0.01}}}}\n"
    )
    data = f"data: {{champion: {{{keys}}}}}\n"
    Path("floor.yaml").write_text(HEAD.format("floor") + floor, encoding="utf-8")
    child = HEAD.format("child") + "extends: [{uri: file:floor.yaml}]\n" + data
    Path("child.yaml").write_text(child, encoding="utf-8")
    Path("alone.yaml").write_text(HEAD.format("alone") + data + floor, encoding="utf-8")
    assert guarded(["policy", "pin", "child.yaml"]) == 0
    assert guarded(["policy", "check", "child.yaml"]) == (0 if sound else 2)
    loosened = guarded(["policy", "diff", "floor.yaml", "alone.yaml", "--fail-on-loosen"])
    assert loosened == (0 if sound else 1)


def test_a_parent_may_leave_a_key_of_a_role_to_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    floor = "data: {evaluation: {label: y}}\noverridable: [data.evaluation.positive]\n" + RULES
    Path("floor.yaml").write_text(HEAD.format("floor") + floor, encoding="utf-8")
    for keys, code in (("positive: 0", 0), ("positive: 0, weight: w", 2)):
        below = f"extends: [{{uri: file:floor.yaml}}]\ndata: {{evaluation: {{{keys}}}}}\n"
        Path("child.yaml").write_text(HEAD.format("child") + below, encoding="utf-8")
        assert guarded(["policy", "pin", "child.yaml"]) == 0
        assert guarded(["policy", "check", "child.yaml"]) == code
    wider = HEAD.format("child") + (
        "extends: [{uri: file:floor.yaml}]\noverridable: [data]\ndata: {evaluation: {weight: w}}\n"
    )
    Path("child.yaml").write_text(wider, encoding="utf-8")
    assert guarded(["policy", "pin", "child.yaml"]) == 0
    assert guarded(["policy", "check", "child.yaml"]) == 2


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("on", "rules: [{id: BIAS-02, on_insufficient: warn}]"),
        ("data.evaluation.prediction", "data: {evaluation: {predictions: model}}"),
    ],
)
def test_a_key_that_only_begins_like_an_overridable_one_is_not_given_away(
    given: str, taken: str, tmp_path: Path
) -> None:
    floor = HEAD.format("floor") + "data: {evaluation: {label: y}}\n" + RULES
    if "." in given:
        floor += f"overridable: [{given}]\n"
    else:
        floor = floor.replace("0.8}}", f"0.8}}, overridable: [{given}]}}")
    (tmp_path / "floor@1.yaml").write_text(floor, encoding="utf-8")
    child = HEAD.format("child") + f"extends: [{{pack: floor@1}}]\n{taken}\n"
    _, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
    assert ["loosens or changes" in one.what for one in problems] == [True]


@pytest.mark.parametrize(
    ("own", "floor", "field", "expected"),
    [
        ("", "on_insufficient: block\n", "on_insufficient", OnInsufficient.BLOCK),
        ("on_insufficient: warn\n", "", "on_insufficient", None),
        ("engine: native\n", "engine: both\n", "engine", "both"),
    ],
)
@pytest.mark.parametrize("first", ["own", "floor"])
def test_a_second_parent_beside_a_floor_does_not_loosen_it(
    own: str, floor: str, field: str, expected: object, first: str, tmp_path: Path
) -> None:
    """Whichever is named first: what one leaves out is not taken for its strictest value."""
    for name, text in (("own", own), ("floor", floor)):
        rules = RULES.replace("BIAS-02", f"{'PERF' if name == 'own' else 'BIAS'}-02")
        (tmp_path / f"{name}@1.yaml").write_text(HEAD.format(name) + text + rules, encoding="utf-8")
    second = "floor" if first == "own" else "own"
    child = HEAD.format("child") + f"extends: [{{pack: {first}@1}}, {{pack: {second}@1}}]\n"
    policy, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
    assert problems == ()
    assert policy is not None
    assert getattr(policy, field) == expected


@pytest.mark.parametrize(
    ("above", "below", "sound"),
    [
        # the default of a comparison with the champion is a proof, which `estimate` loosens
        (("performance.champion", "{metric: accuracy}", ""), "decide_on: estimate", False),
        (("performance.champion", "{metric: accuracy}", ""), "decide_on: proven_pass", True),
        (("performance.score", "{metric: accuracy}", "engine: reference"), "engine: both", True),
        (("performance.score", "{metric: accuracy}", "engine: both"), "engine: reference", False),
        (("performance.score", "{metric: accuracy}", "engine: reference"), "engine: native", False),
        # a conventional limit is not known here, so it may be tighter than any that is stated
        (("fairness.impact_ratio", "{}", ""), "require: {between: [0.1, 1.5]}", False),
        (("drift.columns", "{}", ""), "require: {between: [0.0, 0.9]}", False),
        (("fairness.impact_ratio", "{}", "grace_days: 3"), "grace_days: 2", True),
        (("fairness.impact_ratio", "{}", "grace_days: 3"), "grace_days: 4", False),
    ],
)
def test_what_a_parent_leaves_out_counts_as_the_strictest_it_may_be(
    above: tuple[str, str, str], below: str, tmp_path: Path, *, sound: bool
) -> None:
    check, parameters, more = above
    rule = f"{{id: PERF-02, check: {check}, with: {parameters}{more and ', '}{more}}}"
    text = HEAD.format("floor") + f"rules:\n  - {rule}\n"
    (tmp_path / "floor@1.yaml").write_text(text, encoding="utf-8")
    child = HEAD.format("child") + (
        f"extends: [{{pack: floor@1}}]\nrules:\n  - {{id: PERF-02, {below}}}\n"
    )
    _, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
    assert (not problems) == sound


def test_a_childs_policy_does_not_weaken_the_engine(tmp_path: Path) -> None:
    (tmp_path / "floor@1.yaml").write_text(HEAD.format("floor") + "engine: both\n" + RULES, "utf-8")
    for engine in ("native", "reference"):
        child = HEAD.format("child") + f"extends: [{{pack: floor@1}}]\nengine: {engine}\n"
        _, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
        assert [str(problem).split()[1] for problem in problems] == ["engine"]


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("stages: [dev, production]", []),
        ("stages: [dev, qa]", []),
        ("stages: [production, later]", ["stages"]),  # production decides what blocks by default
        ("alpha: 0.05\nalpha_scope: rule\nengine: native\non_insufficient: block", []),
        ('sources: {allow: ["s3://bucket/eval/"]}', []),
        ("records: {system: aims/, org: ../org/}", []),
    ],
)
def test_what_a_floor_does_not_say_of_itself_may_be_said_and_not_overtaken(
    line: str, refused: list[str], tmp_path: Path
) -> None:
    (tmp_path / "floor@1.yaml").write_text(HEAD.format("floor") + RULES, encoding="utf-8")
    child = HEAD.format("child") + f"extends: [{{pack: floor@1}}]\n{line}\n"
    _, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
    assert [str(problem).split()[1] for problem in problems] == refused


@pytest.mark.parametrize("pins", ["floor@1 other@1", "other@1 floor@1"])
def test_a_floors_places_for_data_hold_beside_a_parent_that_names_none(
    pins: str, tmp_path: Path
) -> None:
    allow = 'sources: {allow: ["s3://bucket/eval/"]}\n'
    (tmp_path / "floor@1.yaml").write_text(HEAD.format("floor") + allow + RULES, "utf-8")
    other = RULES.replace("BIAS-02", "BIAS-03")
    (tmp_path / "other@1.yaml").write_text(HEAD.format("other") + other, "utf-8")
    extends = ", ".join(f"{{pack: {pin}}}" for pin in pins.split())
    child = HEAD.format("child") + f"extends: [{extends}]\n"
    policy, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
    assert problems == ()
    assert policy is not None
    assert policy.sources_allow == ("s3://bucket/eval/",)
    wider = child + 'sources: {allow: ["s3://bucket/"]}\n'
    assert resolve(wider.encode(), uri="p.yaml", packs=tmp_path)[1]


def test_a_child_reads_no_other_records_than_its_parent_names(tmp_path: Path) -> None:
    stated = "records: {org: org/}\n"
    (tmp_path / "floor@1.yaml").write_text(HEAD.format("floor") + stated + RULES, "utf-8")
    child = HEAD.format("child") + "extends: [{pack: floor@1}]\nrecords: {org: mine/}\n"
    _, problems = resolve(child.encode(), uri="p.yaml", packs=tmp_path)
    assert [str(problem).split()[1] for problem in problems] == ["records.org"]
