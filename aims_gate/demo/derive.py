"""Derive the demo's data from the full census files: `python -m aims_gate.demo.derive FOLDER`.

FOLDER holds `employment_MA_{reference,analysis,analysis_target}.pq` of NannyML's data sets. The
result is committed in `data/`, so that the demo needs no download; see `data/README.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FEATURES = (
    "AGEP", "SCHL", "MAR", "RELP", "DIS", "CIT", "MIG", "MIL", "NATIVITY", "DEAR", "DEYE", "DREM",
)  # fmt: skip
_RACES = {"1": "White", "2": "Black", "6": "Asian"}
_SEXES = {"1": "male", "2": "female"}


def derive(folder: Path, out: Path) -> None:
    """Write `train`, `evaluation`, `current_stable` and `current_broken` to *out*.

    Working-age adults (18 to 64) only. 2015 trains; the first half of 2016 evaluates and its second
    half is the stable month of production; the broken one is a stretch of 2017-2018 whose rows are
    mostly residents of group quarters (dormitories, prisons, nursing homes).
    """
    reference = pq.read_table(folder / "employment_MA_reference.pq")
    analysis = pq.read_table(folder / "employment_MA_analysis.pq").join(
        pq.read_table(folder / "employment_MA_analysis_target.pq"), "id"
    )
    analysis = analysis.sort_by("id")
    parts = {
        "train": reference,
        "evaluation": analysis.slice(0, 33_000),
        "current_stable": analysis.slice(33_000, 33_000),
        "current_broken": analysis.slice(130_000, 20_000),
    }
    for name, table in parts.items():
        pq.write_table(_adults(table), out / f"{name}.parquet", compression="zstd")


def _adults(table: pa.Table) -> pa.Table:
    age = table["AGEP"]
    table = table.filter(pc.and_(pc.greater_equal(age, 18), pc.less(age, 65)))
    columns = {"id": table["id"]}
    for name in FEATURES:
        numeric = name in {"AGEP", "SCHL"}
        text = table[name].cast(pa.string()) if name != "AGEP" else table[name]
        columns[name] = text.cast(pa.int16()) if numeric else text.dictionary_encode()
    columns["sex"] = _named(table["SEX"], _SEXES)
    columns["race"] = _named(table["RAC1P"], _RACES)
    columns["employed"] = table["employed"].cast(pa.int8())
    return pa.table(columns)


def _named(column: pa.ChunkedArray, names: dict[str, str]) -> pa.Array:
    return pa.array([names.get(code, "Other") for code in column.to_pylist()]).dictionary_encode()


if __name__ == "__main__":
    derive(Path(sys.argv[1]), Path(__file__).parent / "data")
