"""The MLflow evaluator `aims_gate`: `mlflow.models.evaluate` leaves the table that the gate reads.

MLflow finds it by the entry point `mlflow.model_evaluator` and offers it every evaluation, also
those that nobody meant for the gate: without one of its own keys it does nothing.
It measures nothing: it keeps the rows, the labels and the model's answers, with what they mean.
It is no subclass of MLflow's `ModelEvaluator`, because the registry loads it while MLflow's own
module is still being imported.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aims_gate.errors import DataError, UsageError, near
from aims_gate.operations.log_evaluation import log_evaluation

if TYPE_CHECKING:
    import pyarrow as pa

_LOG = logging.getLogger(__name__)
_CONFIG = (
    *("role", "positive", "sensitive", "weight", "key", "time", "task", "score", "model"),
    "columns",
)
_MODEL_TYPES = ("classifier", "regressor")
_LABEL, _PREDICTION, _SCORE = "label", "prediction", "score"
"""Names for the columns that MLflow passes without a name."""


class Evaluator:
    """Implements MLflow's `ModelEvaluator` for classifiers and regressors."""

    name = "aims_gate"

    @classmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: Mapping[str, Any] | None, **_more: object
    ) -> bool:
        """Tell whether it takes part: only where one of its own keys asks for it.

        An evaluator that is named without configuration gets the same arguments from MLflow as one
        that is not named; a configuration without evaluators' names goes to all of them.
        """
        config = set(map(str, evaluator_config or ()))
        if not config & set(_CONFIG):
            for key in sorted(config):
                if close := difflib.get_close_matches(key, _CONFIG, n=1, cutoff=0.8):
                    _LOG.warning("aims_gate logs no data: did you mean %r, not %r?", close[0], key)
            return False
        if model_type not in _MODEL_TYPES:
            _LOG.warning("aims_gate logs no evaluation data of model type %r", model_type)
            return False
        return True

    def evaluate(
        self,
        *,
        model_type: str,
        dataset: Any,
        run_id: str,
        evaluator_config: Mapping[str, Any] | None = None,
        model: Any = None,
        predictions: str | None = None,
        model_id: str | None = None,
        **_more: object,
    ) -> Any:
        """Log the data with the model's answers to the run that made the model.

        Args:
            model_type: `classifier` or `regressor`.
            dataset: MLflow's evaluation data set.
            run_id: The run of the evaluation, used where no run made the model.
            evaluator_config: Arguments of `log_evaluation` by name: `role`, `positive`,
                `sensitive`, `weight`, `key`, `time`, `task`, `score`, `model`; and `columns`, a
                frame of further columns with the data's index, for what the model is not given.
            model: A pyfunc model; None where the data hold its answers.
            predictions: The column of its answers, where it gives several.
            model_id: MLflow's id of the logged model.
            **_more: What later versions of MLflow add.

        Returns:
            An MLflow `EvaluationResult` without metrics.

        Raises:
            UsageError: An unknown key in *evaluator_config*.
            DataError: No targets, answers or further columns that do not fit the rows, or two
                columns of one name.
            RecordError: That run already has data of this role.
        """
        from mlflow.models import EvaluationResult

        config = dict(evaluator_config or {})
        for key in config:
            if key not in _CONFIG:
                hint = near(str(key), _CONFIG)
                raise UsageError(f"evaluator_config of aims_gate: unknown key {key!r}", hint=hint)
        further = config.pop("columns", None)
        table, roles = _table(dataset, model, predictions, config)
        if further is not None:
            table = _beside(table, further, dataset.features_data)
        config.setdefault("task", _task(model_type, table, roles))
        target = _run_of(model, model_id) or run_id
        config.setdefault("model", model_id or _id_of(model))
        uri = log_evaluation(table, **{**roles, **config}, run_id=target)
        _LOG.info("the gate's evaluation data are in %s", uri)
        return EvaluationResult(metrics={}, artifacts={}, run_id=run_id)


def _table(
    dataset: Any, model: Any, predictions: str | None, config: Mapping[str, Any]
) -> tuple[pa.Table, dict[str, str]]:
    """Table of rows, labels and predictions, with the roles of its columns."""
    if dataset.labels_data is None:
        raise DataError("the data have no targets", hint="give targets= to mlflow.models.evaluate")
    table = _features(dataset)
    roles: dict[str, str] = {}
    columns: dict[str, tuple[str, Any]] = {
        _LABEL: (dataset.targets_name or _LABEL, dataset.labels_data)
    }
    if model is not None:
        columns[_PREDICTION] = (_PREDICTION, _answers(model, dataset, predictions))
        scores = None if "score" in config else _scores(model, dataset, config.get("positive"))
        if scores is not None:
            columns[_SCORE] = (_SCORE, scores)
    elif dataset.predictions_data is not None:
        columns[_PREDICTION] = (dataset.predictions_name or _PREDICTION, dataset.predictions_data)
    for role, (name, values) in columns.items():
        table = _with_column(table, name, values)
        roles[role] = name
    return table, roles


def _features(dataset: Any) -> pa.Table:
    import pyarrow as pa

    from aims_gate.frames.convert import to_table

    features = dataset.features_data
    if hasattr(features, "columns"):
        return to_table(features, where="the evaluation data")
    names = dataset.feature_names
    return pa.table({name: pa.array(features[:, at]) for at, name in enumerate(names)})


def _with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    import pyarrow as pa

    if name in table.column_names:
        raise DataError(
            f"the data have a column {name!r} beside the {name} that is to be added",
            hint="rename it, or leave it out with feature_names=",
        )
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"the values of {name} cannot be kept: {error}") from error
    if len(column) != table.num_rows:
        raise DataError(f"there are {len(column):,} {name}s for {table.num_rows:,} rows")
    return table.append_column(name, column)


def _beside(table: pa.Table, further: Any, features: Any) -> pa.Table:
    """Add columns of the same rows, as the index of both shows; never by order alone."""
    index = getattr(further, "index", None)
    if not hasattr(further, "columns") or not hasattr(features, "columns"):
        raise DataError("columns must be a pandas DataFrame, as the data must be")
    if not features.index.equals(index) or not features.index.is_unique:
        raise DataError(
            "columns does not have the index of the data, or that index names a row twice",
            hint="take both from one frame: columns=frame[[...]]",
        )
    for name in further.columns:
        table = _with_column(table, str(name), further[name])
    return table


def _answers(model: Any, dataset: Any, predictions: str | None) -> Any:
    """Ask the model for one answer a row."""
    import numpy as np

    given = model.predict(_copy(dataset.features_data))
    if hasattr(given, "columns"):
        names = list(given.columns)
        wanted = predictions if predictions is not None else names[0]
        if wanted not in names or (predictions is None and len(names) > 1):
            raise DataError(
                f"the model answers with {len(names)} columns",
                hint="name one with predictions=: " + near(str(wanted), map(str, names)),
            )
        given = given[wanted]
    answers = np.asarray(given)
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim != 1:
        raise DataError(f"the model's answers have the shape {answers.shape}, not one a row")
    return answers


def _scores(model: Any, dataset: Any, positive: object) -> Any:
    """Probability of the positive class; None where the model or the class has none."""
    try:
        raw = model.get_raw_model()
    except (AttributeError, NotImplementedError):
        return None
    classes = list(getattr(raw, "classes_", ()))
    if len(classes) != 2 or not callable(getattr(raw, "predict_proba", None)):
        return None
    if positive is None and set(classes) == {0, 1}:
        positive = 1
    if positive not in classes:
        return None
    features = _copy(dataset.features_data)
    known = getattr(raw, "feature_names_in_", None)
    if known is not None and hasattr(features, "columns"):
        features = features[list(known)]
    return raw.predict_proba(features)[:, classes.index(positive)]


def _task(model_type: str, table: pa.Table, roles: Mapping[str, str]) -> str:
    """Task by MLflow's model type; a classifier's by its number of classes."""
    if model_type == "regressor":
        return "regression"
    named = [roles[role] for role in (_LABEL, _PREDICTION) if role in roles]
    classes = {value for name in named for value in table[name].unique().to_pylist()}
    return "binary" if len(classes - {None}) <= 2 else "multiclass"


def _run_of(model: Any, model_id: str | None) -> str | None:
    """Training run of the model, where the gate looks for data; None if it has none."""
    from mlflow import MlflowClient

    if model_id:
        run_id: str | None = MlflowClient().get_logged_model(model_id).source_run_id
        return run_id
    return getattr(getattr(model, "metadata", None), "run_id", None)


def _id_of(model: Any) -> str | None:
    """Id of the model that predicts; None where the data hold its predictions."""
    metadata = getattr(model, "metadata", None)
    return getattr(metadata, "model_id", None) or getattr(metadata, "model_uuid", None)


def _copy(features: Any) -> Any:
    """Deep copy of the data, which a model may modify."""
    return features.copy()
