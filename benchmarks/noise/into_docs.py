"""Put printed tables into a page: each takes the place of the one with the same heads.

`python benchmarks/noise/into_docs.py PRINTED docs/statistics.md`; each must have a place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path


def main(printed: Path, page: Path) -> None:
    """Replace in *page* every table that was *printed*."""
    blocks = list(_blocks(page.read_text(encoding="utf-8")))
    places = {block[0]: place for place, block in enumerate(blocks)}
    for table in _blocks(printed.read_text(encoding="utf-8")):
        if table[0].startswith("| "):
            blocks[places[table[0]]] = table
    page.write_text("".join(line for block in blocks for line in block), encoding="utf-8")


def _blocks(text: str) -> Iterator[Sequence[str]]:
    """Cut a page into its tables and what stands between them."""
    for _, lines in groupby(text.splitlines(keepends=True), lambda line: line.startswith("|")):
        yield list(lines)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
