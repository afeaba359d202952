"""Copy evidence from MLflow to a local folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aims_gate.attest import resource
from aims_gate.attest.trust import Trust
from aims_gate.errors import NoEvidenceError, UsageError
from aims_gate.evidence.revocations import FOLDER as REVOCATIONS
from aims_gate.policy.model import STAGES

_SCHEMES = ("runs:/", "models:/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Where evidence was copied from."""

    model: str
    """The version whose tag led there, `models:/NAME/VERSION`; empty for a run."""
    place: str
    """`runs:/RUN_ID/aims_gate/EVALUATION_ID`."""
    resource_uri: str
    """Package URL of the version; empty for a run."""


def is_uri(evidence: str) -> bool:
    """Tell whether *evidence* names a place in MLflow, and no directory."""
    return evidence.startswith(_SCHEMES)


def fetch(
    uri: str,
    target: Path,
    *,
    stage: str | None,
    environ: Mapping[str, str],
    trust: Trust | None = None,
) -> Copied:
    """Copy evidence from MLflow into the empty folder *target*.

    Args:
        uri: `runs:/RUN_ID/aims_gate/EVALUATION_ID`, `models:/NAME/VERSION` or `models:/NAME@ALIAS`.
        target: Where it goes.
        stage: Whose evidence, of a version; None is the one that the trust file expects there, the
            last of the usual stages, or the only one.
        environ: The environment with MLflow's variables.
        trust: What the deploying side expects, and where artifacts may lie.

    Raises:
        UsageError: (2) There is none.
        SourceError: (3) It could not be read.
        TrustError: (4) It is not what the version's tag names.
    """
    if stage == "":
        raise UsageError("the stage is empty", hint="--stage NAME, or leave it out for the last")
    # late: a directory is read without MLflow
    from aims_gate.sources.mlflow import evidence

    found = evidence.locate(uri, environ, trust.sources_allow if trust is not None else ())
    chosen = evidence.UNSTAGED
    if found.model:
        expected = _expected(found.place, trust) if trust is not None else set()
        chosen = chosen_stage(uri, found.pointers, stage, expected)
    place = evidence.copy(found, chosen, target, environ)
    return Copied(model=found.model, place=place, resource_uri=found.place)


def keep(uri: str, folder: Path, *, stage: str | None, environ: Mapping[str, str]) -> None:
    """Copy evidence from MLflow into the new directory *folder*; UsageError if it cannot be.

    Errors else as for `fetch`. Nothing is verified.
    """
    from aims_gate.sinks import directory

    directory.refuse_unusable(folder)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        fetch(uri, Path(private), stage=stage, environ=environ)
        files = {path.name: path.read_bytes() for path in Path(private).iterdir() if path.is_file()}
        directory.write(folder, files)
        if (Path(private) / REVOCATIONS).is_dir():
            shutil.copytree(Path(private) / REVOCATIONS, folder / REVOCATIONS)


def _expected(place: str, trust: Trust) -> set[str]:
    """Stages that the trust file expects of a resource."""
    asked = resource.parse(place, servers=trust.servers, where=place)
    return {one.stage for one in trust.demands(asked, asked) if one.stage}


def chosen_stage(
    uri: str, pointers: Mapping[str, str], stage: str | None, expected: Collection[str]
) -> str:
    """Choose the stage whose evidence is meant; a tag without one counts where no other is."""
    staged = sorted(filter(None, pointers))
    wanted = stage
    if wanted is None and len(expected) == 1:
        (wanted,) = expected
    if wanted is None:
        wanted = staged[0] if len(staged) == 1 else STAGES[-1]
    if wanted in pointers:
        return wanted
    if pointers and not staged:
        return next(iter(pointers))
    known = ", ".join(map(ascii, staged)) or "none"
    what = f"there is no evidence for stage {wanted!a}; stages with evidence: {known}"
    hint = "run the gate with a key, or name another --stage"
    raise NoEvidenceError(what, where=uri, hint=hint)
