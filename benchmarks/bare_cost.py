"""What nobody can go without: each column read once, numbers sorted, the others counted.

Two columns at a time, as the gate does it, with pyarrow and NumPy and nothing else: no digest of
the bytes, no statistic. `bare_cost.py REFERENCE CURRENT` prints how many numbers it sorted.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from pyarrow import parquet
from speed_data import ATTRIBUTES, CATEGORIES, LABEL, NUMBERS, PREDICTION, SCORE


def main() -> None:
    """Read and sort or count every column of both files that the benchmark's policy needs."""
    before, after = sys.argv[1:]
    wanted = [(path, column) for column in NUMBERS for path in (before, after)]
    texts = [(path, column) for column in CATEGORIES for path in (before, after)]
    texts += [(after, column) for column in (*ATTRIBUTES, LABEL, PREDICTION)]
    with ThreadPoolExecutor(2) as pool:
        numbers = sum(pool.map(sort, [*wanted, (after, SCORE)]))
        list(pool.map(count, texts))
    json.dump({"sorted": numbers}, sys.stdout)


def sort(asked: tuple[str, str]) -> int:
    """Read a column of numbers and sort it."""
    path, column = asked
    values = parquet.ParquetFile(path).read([column], use_threads=False).column(0).to_numpy()
    return len(np.sort(values))


def count(asked: tuple[str, str]) -> None:
    """Read a column of few values, as codes where it is text, and count them."""
    path, column = asked
    text = column not in {LABEL, PREDICTION}
    file = parquet.ParquetFile(path, read_dictionary=[column] if text else None)
    values = file.read([column], use_threads=False).column(0)
    for chunk in values.chunks:
        codes = (chunk.indices if text else chunk).to_numpy(zero_copy_only=False)
        np.bincount(codes)


if __name__ == "__main__":
    main()
