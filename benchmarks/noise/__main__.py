"""False alarms, power and coverage on simulated data, beside other tools on the same draws.

`python benchmarks/noise [--runs 200] [--largest 100000] [--seed 1] [--only WORDS]` prints Markdown
tables; docs/statistics.md keeps those of a long run. A benchmark asserts nothing.
"""

from __future__ import annotations

import argparse
import logging
import platform
import time
import warnings
from importlib import metadata

from tables import Table, default_checks, seeded, tables


def main() -> None:
    """Print every table as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="draws a row of a table")
    parser.add_argument("--largest", type=int, default=100_000, help="most rows of one draw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="tables with these words in their title")
    options = parser.parse_args()
    # Evidently divides by category counts of zero, which NumPy tells on every draw
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    names = ("aims-gate", "numpy", "scipy", "evidently", "fairlearn")
    print(", ".join(f"{name} {metadata.version(name)}" for name in names))
    print(f"Python {platform.python_version()}, {platform.machine()}, seed {options.seed}")
    print(f"default policy: {', '.join(default_checks())}")
    started = time.monotonic()
    for table in tables(seeded(options.seed), options.runs, largest=options.largest):
        if options.only.lower() in table.title.lower():
            before = time.process_time()
            _print(table)
            print(f"\n{time.process_time() - before:.0f} s of one processor", flush=True)
    print(f"\n{time.monotonic() - started:.0f} s in all")


def _print(table: Table) -> None:
    print(f"\n### {table.title}\n")
    print(f"| {' | '.join(table.heads)} |")
    print("|" + " --- |" * len(table.heads))
    for row in table.rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
