"""A gate on tables of a DuckDB file that the judged party wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

import aims_gate
from aims_gate.frames.engine_connections import connect
from aims_gate.frames.ibis_frame import IbisFrame
from aims_gate.verdict import Outcome, Verdict
from tests.attacks.deciding import HEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A DuckDB file, the connection `warehouse` to it, and a model beside it."""

    folder: Path

    def connect(self, **limits: float) -> None:
        """Write down the connection, as the operator, with `max_bytes` or `timeout_seconds`."""
        more = "".join(f", {key}: {value}" for key, value in limits.items())
        (self.folder / "operator.yaml").write_text(
            "apiVersion: aims-gate/v1\nkind: Config\nconnections:\n"
            f"  warehouse: {{url: 'duckdb://{self.file}'{more}}}\n",
            encoding="utf-8",
        )

    @property
    def file(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    def write(self, *statements: str) -> None:
        """Write into the file, as its owner."""
        with duckdb.connect(str(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)

    def gate(self, policy: str) -> Verdict:
        """Decide by the text of a policy below its head."""
        path = self.folder / "policy.yaml"
        path.write_text(HEAD + policy, encoding="utf-8")
        return aims_gate.run(str(path), f"file:{self.folder / 'model'}")

    def frame(self, name: str, *, weight: str | None = None, max_bytes: int = 1 << 26) -> IbisFrame:
        """A table of the file as the gate asks it."""
        held = connect(f"duckdb://{self.file}", timeout=60, max_bytes=max_bytes).table(name)
        return IbisFrame.over(held, weight=weight, name="evaluation data")


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    """Outcome of each rule."""
    return {result.rule: result.outcome for result in verdict.results}


def held(role: str, table: str, more: str = "") -> str:
    """A role's line of a policy."""
    return f"  {role}: {{table: {table}, connection: warehouse{more}}}\n"
