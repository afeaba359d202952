"""Labels, groups and keys that are equal as floats and not as what they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aims_gate.checks.performance.score import Score
from aims_gate.errors import DataError
from aims_gate.frames import Key
from aims_gate.frames.opening import open_frame
from aims_gate.policy.model import Role
from aims_gate.sources.pairing import paired
from tests.checks.subjects import data, judged

LOW = 2**53
HIGH = 2**53 + 1
TYPES = [pa.int64(), pa.uint64(), pa.decimal128(20), pa.decimal128(38, 3), pa.decimal256(60)]


def column(values: list[int], kind: pa.DataType) -> pa.Array:
    return pa.array([Decimal(v) for v in values] if pa.types.is_decimal(kind) else values, kind)


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("encoded", [False, True])
def test_a_model_that_is_always_wrong_by_one_is_never_right(
    kind: pa.DataType,
    encoded: bool,  # a case
) -> None:
    labels, answers = column([LOW, HIGH] * 50, kind), column([HIGH, LOW] * 50, kind)
    if encoded:
        labels, answers = labels.dictionary_encode(), answers.dictionary_encode()
    found = data({"y": labels, "p": answers}, label="y", prediction="p", positive=HIGH)
    cells = judged(Score(metric="accuracy"), found)
    assert cells[""].value == 0


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_groups_and_keys_stay_apart(kind: pa.DataType) -> None:
    frame = open_frame({"g": column([LOW, HIGH, LOW], kind)})
    assert frame.count(Key(column="g")).by_value() == {LOW: 2, HIGH: 1}
    assert frame.repeats(["g"]) == 1
    assert frame.repeats(["g"], open_frame({"g": column([HIGH], kind)})) == 1


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_another_label_in_the_champions_data_is_seen(kind: pa.DataType) -> None:
    ours = data(
        {"k": [1, 2], "y": column([LOW, HIGH], kind), "p": [1, 0]},
        label="y",
        prediction="p",
        key="k",
    )
    theirs = data(
        {"k": [1, 2], "y": column([LOW, LOW], kind), "p": [1, 0]},
        Role.CHAMPION,
        label="y",
        prediction="p",
        key="k",
    )
    with pytest.raises(DataError, match="labels differ"):
        paired(ours, theirs)


@pytest.mark.parametrize("scale", [1, 2, 9, 20, 37])
def test_a_decimal_is_the_float_nearest_to_it(scale: int) -> None:
    """Arrow multiplies by a rounded power of ten, so that 0.57 lay above a limit of 0.57."""
    digits = [*range(-600, 600), 10**17 - 1, 2**53 + 1, 3 * 10**36 + 7]
    given = [Decimal(each).scaleb(-scale) for each in digits]
    found = open_frame({"x": pa.array(given, pa.decimal128(38, scale))}).gather(numbers=["x"])
    assert found.numbers[0].tolist() == [float(each) for each in given]


def test_fractions_that_no_float_tells_apart_are_refused() -> None:
    near: Any = [Decimal("0.1"), Decimal("0.10000000000000000001")]
    frame = open_frame({"y": pa.array(near, pa.decimal128(38, 20))})
    with pytest.raises(DataError, match="no float tells apart"):
        frame.count(Key(column="y"))
    far = open_frame({"y": pa.array([Decimal("0.1"), Decimal("0.2")], pa.decimal128(38, 20))})
    assert far.count(Key(column="y")).by_value() == {0.1: 1, 0.2: 1}
