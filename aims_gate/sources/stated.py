"""Data held against what the policy states of them: their digest, and what their columns hold."""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.errors import DataError
from aims_gate.facts import DatasetIdentity
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import DataSpec


def refuse_other(identity: DatasetIdentity, spec: DataSpec) -> None:
    """Refuse data whose digest or version is not the one that the policy pins; DataError."""
    if spec.snapshot is not None and str(spec.snapshot) != identity.snapshot:
        told = f"are version {identity.snapshot}" if identity.snapshot else "have no versions here"
        raise DataError(
            f"the policy names version {spec.snapshot} of a table, but these data {told}",
            where=identity.uri,
            hint="snapshot: is of tables with versions; elsewhere pin the rows by sha256:",
        )
    if spec.sha256 is not None and spec.sha256.lower() != identity.digest:
        raise DataError(
            f"the policy names data with sha256 {spec.sha256}, but these have {identity.digest} "
            f"({identity.digest_kind})",
            where=identity.uri,
            hint="give the data that the policy names, or state the new digest in the policy",
        )


def refuse_types(columns: Mapping[str, tuple[ColumnKind, str]], spec: DataSpec, where: str) -> None:
    """Refuse a column of another kind than `types:` says; DataError.

    Args:
        columns: Kind and stored type of each column that has one.
        spec: What the policy says; a column that is not there is not looked at.
        where: What the data are called in errors.
    """
    for name, stated in spec.types.items():
        kind, stored = columns.get(name, (stated, ""))
        if kind != stated:
            raise DataError(
                f"column {name!r} is {stored}, and the policy says that it is {stated}",
                where=where,
                hint=f"store it as {stated}, or change types: under data",
            )


def refuse_timeless(spec: DataSpec, where: str) -> None:
    """Refuse a window without a column of times; DataError."""
    if spec.window_days is not None and spec.time is None:
        hint = "state time: COLUMN beside window:"
        raise DataError("a window needs the column of times", where=where, hint=hint)
