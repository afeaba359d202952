"""Sources: load models and data from a URI into a `Subject`.

A source resolves its URI once, copies the model's files into a private folder, hashes them there,
and opens data by role. Adding a source is one file and one row in `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aims_gate.plugin_table import Table
from aims_gate.policy.model import Policy, Role
from aims_gate.sources.subject import Fetched, Subject, Workspace


class Source(Protocol):
    """Opens the models of one family of URIs."""

    def fetch(self, uri: str, *, workspace: Workspace) -> Fetched:
        """Resolve *uri* once, copy the model's files into the private folder and hash them.

        SourceError if MLflow or a file cannot be read; UsageError if *uri* has no such form.
        """
        ...

    def open(
        self, uri: str, *, policy: Policy, given: Mapping[Role, object], workspace: Workspace
    ) -> Subject:
        """Fetch the model, read what is known of its run, and open its data by role.

        `policy.data` describes the roles; *given* holds what the caller handed over (`--data
        ROLE=URI` as text, or a frame in memory) and wins over the policy's `source`. Data that
        were named and cannot be used go into `Subject.unread` and are not lost. SourceError and
        UsageError as for `fetch`.
        """
        ...


SOURCES: Table[Source] = Table(
    "model URI scheme",
    {
        "commit": "aims_gate.sources.mlflow.source:SOURCE",
        "file": "aims_gate.sources.files:SOURCE",
        "models": "aims_gate.sources.mlflow.source:SOURCE",
        "runs": "aims_gate.sources.mlflow.source:SOURCE",
    },
)
