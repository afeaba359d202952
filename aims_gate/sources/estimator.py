"""A fitted scikit-learn estimator in memory as the model under test; it predicts in this process.

Anything with `predict` is one, so scikit-learn need not be there: `predict_proba` and `classes_`
give scores, `feature_names_in_` (on a Pipeline too) the columns that it reads.

It has no files, and its identity says no more than is known. The manifest names one file,
`estimator.json`: its class, its columns, its classes, and the digest of what it answered for each
role. Two estimators that answer these rows alike have one digest; no other rows are covered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from aims_gate import canonical
from aims_gate.attest import manifest
from aims_gate.errors import (
    DataError,
    GateError,
    MissingExtraError,
    SourceError,
    UsageError,
    stack,
)
from aims_gate.facts import MEMORY, Isolation, ModelIdentity
from aims_gate.frames.column_values import settle
from aims_gate.frames.digest import rows_v1
from aims_gate.frames.opening import in_memory
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder
from aims_gate.sources.predictions import derive_prediction, derived_name
from aims_gate.sources.scoring.model_inputs import accepted, features
from aims_gate.sources.subject import Data, Located, Signature, Subject, Workspace, unanswered

PREDICTION, SCORE = "prediction (estimator)", "score (estimator)"
"""The derived columns; a digest of the data does not cover them."""
_DESCRIPTION = "estimator.json"
_LOG = logging.getLogger(__name__)


def open_estimator(
    estimator: object,
    *,
    policy: Policy,
    given: Mapping[Role, object],
    workspace: Workspace,
) -> Subject:
    """Open data by role, with the estimator's answers in the place of logged ones.

    It answers the evaluation data, and other roles that name a prediction or a score. A prediction
    that the policy derives from a score at a threshold is derived from the estimator's score.

    Args:
        estimator: The model; None if there are only frames, whose columns then count.
        policy: Describes the roles. Its `artifact:` sources find nothing: there is no run.
        given: Per role a path, a URI or a frame in memory.
        workspace: Its folder takes the description that stands for files.

    Returns:
        The subject. A role that the estimator could not answer says why, and then every rule that
        needs an answer is an ERROR.

    Raises:
        UsageError: *estimator* is no object with `predict`, or a class in place of an object.
        SourceError: It ended the process when its feature names were read.
    """
    try:
        return _opened(estimator, policy, given, workspace)
    except SystemExit as error:  # its exit code is none of the gate's
        what = "the estimator ended the process"
        raise SourceError(what, hint="nothing was decided; gate a model that answers") from error


def _opened(
    estimator: object, policy: Policy, given: Mapping[Role, object], workspace: Workspace
) -> Subject:
    usable = callable(getattr(estimator, "predict", None)) and not isinstance(estimator, type)
    if estimator is not None and not usable:
        raise UsageError(
            f"the model is neither a URI nor a fitted estimator, but a {type(estimator).__name__}",
            hint="give models:/NAME/VERSION, file:DIR, or an object with predict",
        )
    finder = Finder(policy=policy, locate=_nothing, workspace=workspace)
    opened, failed = open_data(given, finder)
    data = dict(opened)
    asked = [role for role in opened if estimator is not None and _answers(opened[role])]
    for role in asked:
        workspace.progress(f"the estimator predicts the {role} data")
        try:
            data[role] = _answered(estimator, opened[role])
        except GateError as error:
            data[role] = unanswered(opened[role], error)
    subject = _described(estimator, data, workspace)
    return replace(subject, unread=failed, isolation=dict.fromkeys(asked, Isolation.IN_PROCESS))


def _nothing(*_path: object, **_role: object) -> Located | None:
    return None


def _answers(data: Data) -> bool:
    spec = data.spec
    named = spec.prediction or spec.score or spec.predictions
    return data.role is Role.EVALUATION or named is not None


def _answered(estimator: Any, data: Data) -> Data:
    where, spec, frame = f"{data.role} data", data.spec, in_memory(data.frame)
    if frame is None:
        raise DataError("an estimator predicts rows in memory only", where=where)
    if spec.environment == "model":
        what = "an estimator in memory has no environment of its own"
        hint = "log it with MLflow, and give its URI"
        raise DataError(what, where=where, hint=hint)
    if frame.table.num_rows == 0:
        return data  # a rule finds that there are no rows
    rows = _rows(frame.table, spec, estimator, where)
    threshold = isinstance(spec.score, str) and spec.prediction in {None, derived_name(spec)}
    spec = replace(spec, prediction=None, predictions=None, score=None)
    scores = _scores(estimator, rows, spec, where)
    if scores is not None:
        column = accepted(_column(scores, where), frame.table, None, where=where)
        frame = frame.with_column(SCORE, column)
        spec = replace(spec, score=SCORE)
    if threshold and scores is None:
        hint = "take threshold: out of the policy, or give a model with predict_proba"
        raise DataError("the estimator gives no score for the threshold", where=where, hint=hint)
    if threshold:
        return derive_prediction(replace(data, frame=frame, spec=spec))
    told = _column(_asked(estimator, "predict", rows, where), where)
    column = accepted(told, frame.table, spec.label, where=where)
    frame = frame.with_column(PREDICTION, column)
    return replace(data, frame=frame, spec=replace(spec, prediction=PREDICTION))


def _rows(table: pa.Table, spec: DataSpec, estimator: Any, where: str) -> Any:
    """Columns that the estimator was fitted on, as a pandas DataFrame."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        hint = "fit it on a pandas DataFrame: the gate does not guess which columns it reads"
        raise DataError("the estimator names no columns, or is not fitted", where=where, hint=hint)
    inputs = tuple((str(name), "", True) for name in names)
    asked = features(table, spec, Signature(inputs=inputs), where=where)
    try:
        return asked.to_pandas()
    except ImportError:
        raise MissingExtraError.for_library("pandas", "gate", "an estimator") from None


def _scores(estimator: Any, rows: Any, spec: DataSpec, where: str) -> Any:
    """Probability of the positive class; None unless there are exactly two classes."""
    classes = _classes(estimator)
    if not hasattr(estimator, "predict_proba") or len(classes) != 2:
        return None
    wanted = 1 if spec.positive is None and set(classes) <= {0, 1} else spec.positive
    if wanted is None or wanted not in classes:
        return None
    table = _asked(estimator, "predict_proba", rows, where)
    shape = table.shape
    if shape[1:] != (2,):
        raise DataError(f"predict_proba gave the shape {shape}, not two columns", where=where)
    return table[:, list(classes).index(wanted)]


def _asked(estimator: Any, method: str, rows: Any, where: str) -> Any:
    """Call a method of the model; an exception is reported by type, as messages may hold rows."""
    try:
        told = getattr(estimator, method)(rows.copy())
        masked, answers = np.ma.is_masked(told), np.asarray(told)
    except (Exception, SystemExit) as error:
        _LOG.error("the estimator's %s failed on the %s\n%s", method, where, stack(error))
        what = f"the estimator failed in {method} ({type(error).__name__})"
        raise DataError(what, where=where, hint="the log says where") from error
    if masked:
        raise DataError(f"the estimator's {method} masks some answers", where=where)
    return answers


def _column(answers: Any, where: str) -> pa.ChunkedArray:
    """Turn an array of shape (rows,) or (rows, 1) into an Arrow column."""
    flat = answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers
    try:
        return settle(pa.chunked_array([pa.array(flat)]))
    except (pa.ArrowException, ValueError, TypeError) as error:
        what = f"the estimator's answers of shape {answers.shape} are no single column"
        raise DataError(what, where=where) from error


def _classes(estimator: Any) -> Sequence[Any]:
    found = getattr(estimator, "classes_", None)
    return [] if found is None else list(np.asarray(found, dtype=object).ravel())


def _described(estimator: object, data: Mapping[Role, Data], workspace: Workspace) -> Subject:
    """Write the description that stands for the model's files, and name it."""
    kind = type(estimator)
    name = "frames" if estimator is None else kind.__qualname__
    answers = {str(role): digest for role in sorted(data) if (digest := _digest(data[role]))}
    description = {
        "what": "in memory, without files: the digest covers these words and these answers only",
        "class": "" if estimator is None else f"{kind.__module__}:{kind.__qualname__}",
        "columns": [str(column) for column in _names(estimator)],
        "classes": [str(value) for value in _classes(estimator)],
        "answers": answers,
    }
    folder = workspace.folder / "model"
    folder.mkdir(mode=0o700)
    (folder / _DESCRIPTION).write_bytes(canonical.encode(description))
    hashed = manifest.scan(folder)
    identity = ModelIdentity(
        uri=f"memory:{name}",
        name=name,
        resource_uri=f"pkg:generic/{quote(name, safe='')}",
        digest=hashed.digest,
        files=hashed.files,
        bytes=hashed.bytes,
        resolved_uri=f"memory:{name}",
        reader=MEMORY,
    )
    return Subject(model=identity, manifest=hashed, folder=folder, data=data)


def _names(estimator: object) -> Sequence[Any]:
    found = getattr(estimator, "feature_names_in_", None)
    return [] if found is None else list(found)


def _digest(data: Data) -> str:
    """`rows-v1` digest of an estimator's predictions; empty if it made none."""
    frame = in_memory(data.frame)
    if frame is None:
        return ""
    there = [name for name in (PREDICTION, SCORE) if name in frame.table.column_names]
    answers = {name: frame.table.column(name) for name in there}
    return rows_v1(pa.table(answers)) if answers else ""
