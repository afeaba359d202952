"""Where models and data come from: a URI becomes a `Subject`.

A source resolves its URI once, copies the model's files into a private folder, hashes them there,
and opens data by role. Adding a source is one file and one row in `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aims_gate.policy.model import DataSpec, Role
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.tables import Table


class Source(Protocol):
    """Opens the models of one family of URIs."""

    def open(
        self, uri: str, *, data: Mapping[Role, DataSpec], given: Mapping[Role, object], workspace: Workspace
    ) -> Subject:
        """Resolve *uri*, copy and hash its files, and open its data.

        *data* is the policy's own description of each role; *given* holds what the caller handed
        over (`--data ROLE=URI` as text, or a frame in memory) and wins over the policy's `source`.
        SourceError if MLflow or a file cannot be read; UsageError if *uri* has no such form.
        """
        ...


SOURCES: Table[Source] = Table(
    "model URI scheme",
    {
        "file": "aims_gate.sources.files:SOURCE",
        "models": "aims_gate.sources.mlflow.source:SOURCE",
        "runs": "aims_gate.sources.mlflow.source:SOURCE",
    },
)
