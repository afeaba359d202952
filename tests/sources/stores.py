"""Data in stores of objects, as a caller or a policy names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.registry.entities import DatasetInput
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder
from aims_gate.sources.subject import Data, Located, Workspace

ROWS = b"id,y,p\n1,1,1\n2,0,1\n3,0,0\n"
EVALUATION = Role.EVALUATION


def workspace(folder: Path, environ: Mapping[str, str], **limits: Any) -> Workspace:
    folder.mkdir(parents=True, exist_ok=True)
    return Workspace(folder=folder, environ=environ, **limits)


def nowhere(path: str, *, role: Role) -> Located | None:
    """Find no artifact."""
    return None


def opened(
    space: Workspace,
    *,
    given: str | None = None,
    allow: tuple[str, ...] = (),
    inputs: tuple[DatasetInput, ...] = (),
    **spec: Any,
) -> tuple[Data | None, str]:
    policy = Policy(id="p", version="1", sources_allow=allow, data={EVALUATION: DataSpec(**spec)})
    finder = Finder(policy=policy, locate=nowhere, workspace=space, inputs=inputs)
    data, unread = open_data({EVALUATION: given} if given else {}, finder)
    return data.get(EVALUATION), str(unread.get(EVALUATION, ""))
