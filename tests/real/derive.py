"""How the Parquet files beside this one were derived from the real data beside a checkout.

Run as `python -m tests.real.derive` with `../shared/data` in place. A logistic regression learns on
one part of the rows, and what it says of the others is kept with their labels and attributes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support import real_data

HERE = Path(__file__).parent


def scored(
    table: pa.Table, inputs: list[str], label: np.ndarray, learn: slice, keep: list[str]
) -> pa.Table:
    """Learn on the rows of *learn*; give the columns of *keep* with label, score and answer."""
    features = np.column_stack([table[name].to_numpy() for name in inputs]).astype(float)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    score = model.fit(features[learn], label[learn]).predict_proba(features)[:, 1].round(4)
    found = table.select(list(dict.fromkeys([*inputs, *keep])))
    for name, column in (("y", label), ("score", score), ("prediction", (score >= 0.5) * 1)):
        found = found.append_column(name, pa.array(column))
    return found


def adult() -> tuple[pa.Table, pa.Table]:
    """4,000 rows that were learned from, and 8,000 others; 10,000 were learned from in all."""
    table = real_data.adult()
    label = np.array([income == ">50K" for income in table["income"].to_pylist()]).astype(int)
    inputs = ["age", "education_num", "hours_per_week", "capital_gain"]
    found = scored(table, inputs, label, slice(0, 10_000), ["sex", "race", "workclass"])
    return found.slice(0, 4_000), found.slice(10_000, 8_000)


def german() -> tuple[pa.Table, pa.Table]:
    """All 1,000 rows, half of them learned from; sex is taken out of `personal status and sex`."""
    table = real_data.german()
    label = np.array([risk == 1 for risk in table["c21"].to_pylist()]).astype(int)
    names = {"c2": "months", "c5": "amount", "c8": "rate", "c13": "age", "c20": "foreign"}
    found = table.select(list(names)).rename_columns(list(names.values()))
    women = ["F" if code in {"A92", "A95"} else "M" for code in table["c9"].to_pylist()]
    found = found.append_column("sex", pa.array(women))
    inputs = ["months", "amount", "rate", "age"]
    found = scored(found, inputs, label, slice(0, 500), ["sex", "foreign"])
    return found.slice(0, 500), found.slice(500, 500)


if __name__ == "__main__":
    for name, parts in (("adult", adult()), ("german", german())):
        for role, part in zip(("reference", "evaluation"), parts, strict=True):
            parquet.write_table(part, HERE / f"{name}_{role}.parquet", compression="zstd")
