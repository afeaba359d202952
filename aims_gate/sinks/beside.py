"""Signed statements to MLflow, beside the evidence that they are about: its later history.

A statement counts in MLflow only once a tag points at it, so its files may be stored in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.sigstore_bundle import bundle_file
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.errors import RecordError
from aims_gate.registry.choose import for_artifacts
from aims_gate.registry.contract import Registry
from aims_gate.registry.uris import RunTarget, parse


def store(
    registry: Registry, evidence: str, statement: Path, under: str, environ: Mapping[str, str]
) -> str:
    """Store the files of a statement in a folder beside evidence, and look whether they are there.

    Args:
        registry: Where the evidence is.
        evidence: `runs:/RUN_ID/aims_gate/EVALUATION_ID`.
        statement: The statement's files, without their endings.
        under: The folder's name.
        environ: The environment with MLflow's variables.

    Returns:
        What a tag says to point at it: `sha256:… runs:/RUN_ID/…/NAME`.

    Raises:
        RecordError: MLflow did not keep them; SourceError if it cannot be reached.
    """
    target = parse(evidence)
    if not isinstance(target, RunTarget):
        raise RecordError("this is no evidence in MLflow", where=evidence)
    name, folder = statement.name, f"{target.path}/{under}"
    root = registry.run(target.run_id).artifact_uri
    writer = for_artifacts(registry, root, environ)
    files = [statement_file(name), bundle_file(name), envelope_file(name)]
    for file in files:
        writer.upload(root, f"{folder}/{file}", statement.with_name(file))
    kept = {one.path: one.bytes for one in writer.list_artifacts(root, folder)}
    for file in files:
        if kept.get(f"{folder}/{file}") != statement.with_name(file).stat().st_size:
            raise RecordError(f"MLflow did not keep {file} as it was sent", where=root)
    digest = canonical.sha256_file(statement.with_name(statement_file(name)))
    return f"sha256:{digest} runs:/{target.run_id}/{folder}/{name}"
