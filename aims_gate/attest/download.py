"""The note that MLflow's client writes into a download of `models:/…`, which is no part of a model.

Its bytes differ for each name and version, so no manifest can list it. Nothing of a model may bear
its name: a store, a run or a folder that is judged is refused. Only where a folder is verified is
the note left out, and only if it can be nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aims_gate.attest.file_names import MLFLOW_NOTE, folded
from aims_gate.attest.resource import VERSION
from aims_gate.documents import strict_yaml
from aims_gate.errors import PolicyError, SourceError

MLMODEL = "MLmodel"
_MOST = 512
"""Bytes: a name has at most 255 characters."""
_NOTE = re.compile(
    r"model_name: null\nmodel_version: null\n|"
    r"model_name: ('?)\w(?:[\w .()+-]{0,253}[\w.()+-])?\1\n"
    rf"model_version: ('?){VERSION.pattern}\2\n"
)
"""What `mlflow.store.artifact.models_artifact_repo` writes, of the names that the gate reads; of
`models:/m-…` without name and version."""
_HINT = "if the folder is a download of models:/…, delete the file: it is no part of the model"


def note(folder: Path) -> tuple[str, ...]:
    """Find the note in *folder*: its name, for `scan` to leave out, or nothing.

    Raises:
        SourceError: A file of that name is there, and is not exactly MLflow's two lines beside an
            `MLmodel` that does not refer to it.
    """
    if not os.path.lexists(folder / MLFLOW_NOTE):
        return ()
    if not _NOTE.fullmatch(_read(folder / MLFLOW_NOTE, _MOST).decode("utf-8", "replace")):
        what = "it is not the two lines, name and version, that MLflow's client writes"
        raise SourceError(what, where=MLFLOW_NOTE, hint=_HINT)
    try:
        described = strict_yaml.parse(_read(folder / MLMODEL, strict_yaml.MAX_BYTES), MLMODEL).tree
    except PolicyError as error:
        what = f"what {MLMODEL} refers to cannot be read: {error}"
        raise SourceError(what, where=MLFLOW_NOTE, hint=_HINT) from error
    if any(MLFLOW_NOTE in folded(said) for said in _texts(described)):
        raise SourceError(f"{MLMODEL} refers to it", where=MLFLOW_NOTE)
    return (MLFLOW_NOTE,)


def _texts(tree: Any) -> Iterator[str]:
    """Every text of a tree, keys too."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list | dict):
        for item in tree:
            yield from _texts(item)
        if isinstance(tree, dict):
            yield from _texts(list(tree.values()))


def _read(path: Path, most: int) -> bytes:
    """Read a regular file of at most *most* bytes, and follow no link to it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        what = f"{path.name} cannot be read: {error.strerror}"
        raise SourceError(what, where=MLFLOW_NOTE, hint=_HINT) from error
    if len(data) > most:
        raise SourceError(f"{path.name} has more than {most:,} bytes", where=MLFLOW_NOTE)
    return data
