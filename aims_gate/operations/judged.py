"""What an evidence directory says that people sign about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.attest import manifest
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import statement_file
from aims_gate.errors import SourceError, UsageError
from aims_gate.evidence.layout import REPORT_FILE
from aims_gate.regular import read_regular

_MAX_REPORT = 1 << 26
_MATERIAL = "material:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an evidence directory says that people sign about; nothing of it is verified here."""

    folder: Path
    name: str
    version: str
    digest: str
    """SHA-256 of the model's manifest."""
    results: Mapping[str, Mapping[str, Any]]
    """Results of report.json, by rule."""
    summary: str
    """SHA-256 of the summary statement."""
    material: Mapping[str, str]
    """Digests of what is material to assessments, by part; empty where no records were read."""


def judged(folder: Path) -> Judged:
    """Read what was judged from an evidence directory; UsageError (2) if it is none."""
    try:
        report = canonical.parse(read_regular(folder / REPORT_FILE, _MAX_REPORT))
        model = report["model"]
        return Judged(
            folder=folder,
            name=str(model["name"]),
            version=str(model["version"] or ""),
            digest=manifest.parse(read_regular(folder / MODEL_FILE, _MAX_REPORT)).digest,
            results={str(one["rule"]): one for one in report["results"]},
            material={
                name.removeprefix(_MATERIAL): str(digest)
                for name, digest in report["evidence"]["versions"].items()
                if name.startswith(_MATERIAL)
            },
            summary=canonical.sha256(read_regular(folder / statement_file("vsa"), _MAX_REPORT)),
        )
    except (OSError, ValueError, KeyError, TypeError, SourceError) as error:
        raise UsageError(
            f"this is no evidence directory: {getattr(error, 'strerror', None) or error}",
            where=str(folder),
            hint="name the directory that `aims-gate run` printed as evidence",
        ) from error
