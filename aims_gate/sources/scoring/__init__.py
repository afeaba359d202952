"""`predictions: model`: the gate asks the model itself, in a process of its own.

Only a policy can ask for this, because it runs the model's code. The process is limited and has
no secrets in its environment, but it is the same user's: no sandbox, and evidence says so.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.util import find_spec

from aims_gate.errors import DataError, GateError, MissingExtraError
from aims_gate.facts import Isolation, ModelPython
from aims_gate.frames.opening import in_memory
from aims_gate.policy.model import Role
from aims_gate.sources.scoring.building import Builder
from aims_gate.sources.scoring.model_inputs import answers, features
from aims_gate.sources.scoring.process import Limits, predict
from aims_gate.sources.subject import Data, Subject, Workspace, unanswered

COLUMN = "prediction (model)"
"""The derived column; a digest of the data does not cover it."""


def score(subject: Subject, workspace: Workspace, *, limits: Limits | None = None) -> Subject:
    """Add the model's own predictions to every role whose policy says `predictions: model`.

    A role whose predictions cannot be had keeps its data and the reason, so that each rule that
    needs an answer is an ERROR, and no other.

    Args:
        subject: A model and its data, as its source opened them.
        workspace: Its folder holds the rows, the predictions and an environment of the model's
            own; of its environment the process sees `PATH` and `LANG` only, and pip besides them
            what it is configured by.
        limits: Time and memory of the process; `Limits()` if left out.

    Returns:
        The subject; the same one where no policy asks the model.

    Raises:
        MissingExtraError: MLflow, which loads the model in the gate's environment, is not
            installed there.
    """
    asked = [role for role, data in subject.data.items() if data.spec.predictions == "model"]
    if not asked:
        return subject
    own = {role for role in asked if subject.data[role].spec.environment == "model"}
    if not own.issuperset(asked) and find_spec("mlflow") is None:
        raise MissingExtraError.for_library("mlflow", "gate", "predictions: model")
    data = dict(subject.data)
    limits = limits or Limits()
    builder = Builder(model=subject.folder, workspace=workspace, limits=limits)
    for role in asked:
        try:
            data[role] = _scored(subject, role, workspace, limits, builder if role in own else None)
        except GateError as error:
            data[role] = unanswered(subject.data[role], error)
    isolation = dict.fromkeys(asked, Isolation.SAME_USER)
    ours = ModelPython(environment="gate", python=platform.python_version())
    pythons = {role: builder.facts() if role in own else ours for role in asked}
    return replace(subject, data=data, isolation=isolation, pythons=pythons)


def _scored(
    subject: Subject, role: Role, workspace: Workspace, limits: Limits, builder: Builder | None
) -> Data:
    data = subject.data[role]
    where = f"{role} data"
    frame = in_memory(data.frame)
    if frame is None:
        raise DataError("a model predicts rows in memory only", where=where)
    if frame.table.num_rows == 0:
        return data  # a rule finds that there are no rows
    if "python_function" not in subject.flavors:
        hint = "log it with MLflow, or log predictions as a column"
        raise DataError("the model has no flavour python_function", where=where, hint=hint)
    asked = features(frame.table, data.spec, subject.signature, where=where)
    python = builder.environment(where=where).interpreter if builder else None
    workspace.progress(f"the model predicts the {role} data")
    content = predict(subject.folder, asked, workspace, limits, where=where, python=python)
    column = answers(content, frame.table, data.spec.label, where=where)
    spec = replace(data.spec, prediction=COLUMN)
    return replace(data, frame=frame.with_column(COLUMN, column), spec=spec)
