"""The rows of the speed benchmark: made from a seed, in pieces, so that ten million fit.

24 features (16 numbers, 8 categories), a label, a prediction, a score and two protected attributes.
Of the numbers eleven are continuous doubles, one is a continuous float, two are whole numbers, one
is zero-inflated and one holds nulls; in the current data two columns have moved a little.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

NUMBERS = tuple(f"x{i:02}" for i in range(16))
CATEGORIES = tuple(f"c{i}" for i in range(8))
FEATURES = (*NUMBERS, *CATEGORIES)
LABEL, PREDICTION, SCORE = "y", "yhat", "p"
ATTRIBUTES = ("sex", "race")
SIDES = ("reference", "current")

_PIECE = 1_000_000
_SIZES = (2, 3, 4, 6, 8, 12, 20, 50)
"""How many different values the categories have."""
_RACES = np.array(["A", "B", "C", "D", "E"])


def make(folder: Path, rows: int) -> dict[str, Path]:
    """Write the two sides as Parquet, unless they are there, and give their paths."""
    paths = {side: folder / f"{side}-{rows}.parquet" for side in SIDES}
    folder.mkdir(parents=True, exist_ok=True)
    for side, path in paths.items():
        if path.exists():
            continue
        half = path.with_suffix(".part")
        writer: parquet.ParquetWriter | None = None
        for piece in _pieces(side, rows):
            writer = writer or parquet.ParquetWriter(half, piece.schema)
            writer.write_table(piece)
        if writer is not None:
            writer.close()
        half.rename(path)
    return paths


def _pieces(side: str, rows: int) -> Iterator[pa.Table]:
    for number, start in enumerate(range(0, rows, _PIECE)):
        seed = (SIDES.index(side), rows, number)
        yield _piece(np.random.default_rng(seed), min(_PIECE, rows - start), side == "current")


def _piece(rng: np.random.Generator, rows: int, moved: bool) -> pa.Table:  # noqa: FBT001
    columns: dict[str, pa.Array] = {}
    common = rng.normal(size=rows)
    for place, name in enumerate(NUMBERS):
        values = 0.3 * common + rng.normal(size=rows)
        columns[name] = _number(place, values + 0.1 * (moved and place == 1), rng)
    for place, (name, size) in enumerate(zip(CATEGORIES, _SIZES, strict=True)):
        weights = 1 / (np.arange(size) + 2.0)
        weights[0] *= 1.1 if moved and place == 4 else 1
        codes = rng.choice(size, size=rows, p=weights / weights.sum()).astype(np.int32)
        names = pa.array([f"value {i:02}" for i in range(size)])
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes), names).cast(pa.string())
    sex, race = rng.random(rows) < 0.48, rng.choice(5, size=rows, p=[0.6, 0.15, 0.12, 0.08, 0.05])
    chance = 1 / (1 + np.exp(-(common - 0.5 + 0.1 * sex)))
    score = np.clip(chance + 0.1 * rng.normal(size=rows), 0.0, 1.0)
    columns[LABEL] = pa.array((rng.random(rows) < chance).astype(np.int64))
    columns[PREDICTION] = pa.array((score >= 0.5).astype(np.int64))
    columns[SCORE] = pa.array(score)
    columns["sex"] = pa.array(np.where(sex, "F", "M"))
    columns["race"] = pa.array(_RACES[race])
    return pa.table(columns)


def _number(place: int, values: np.ndarray, rng: np.random.Generator) -> pa.Array:  # type: ignore[type-arg]
    if place == 11:
        return pa.array(values.astype(np.float32))
    if place == 12:
        return pa.array(np.rint(40 + 12 * values).astype(np.int64))
    if place == 13:
        return pa.array(np.rint(np.exp(8 + values)).astype(np.int64))
    if place == 14:
        return pa.array(np.where(rng.random(len(values)) < 0.7, 0.0, np.abs(values)))
    if place == 15:
        return pa.array(values, mask=rng.random(len(values)) < 0.02)
    return pa.array(values)
