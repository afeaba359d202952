"""Log evaluation data to an MLflow training run, with the roles of its columns."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aims_gate import canonical
from aims_gate.absent import install_line
from aims_gate.errors import DataError, MissingExtraError, RecordError, UsageError, near
from aims_gate.operations.named_arguments import named_arguments
from aims_gate.policy.model import DataSpec, Role, TaskKind

if TYPE_CHECKING:
    import pyarrow as pa

    from aims_gate.frames import Frame

_MOST_DIGEST = 32
"""Characters of the SHA-256 that fit into MLflow's field for a digest."""
_MOST_LABELS = 100
"""Distinct labels that an error names; more of them are cells of rows."""


@named_arguments
@install_line("log_evaluation")
def log_evaluation(
    frame: object,
    *,
    label: str | None = None,
    prediction: str | None = None,
    score: str | Mapping[str, str] | None = None,
    positive: object = None,
    sensitive: Iterable[str] | Mapping[str, Iterable[float] | None] | None = None,
    weight: str | None = None,
    key: str | None = None,
    query: str | None = None,
    time: str | None = None,
    task: str | None = None,
    role: str = "evaluation",
    model: object = None,
    run_id: str | None = None,
) -> str:
    """Log a frame to the training run as `aims_gate/<role>.parquet`, where the gate finds it.

    Args:
        frame: A pandas, Polars or Arrow frame, one row per case; a pandas index is left out.
        label: The column of true labels. The evaluation data need one.
        prediction: The column of the model's answers.
        score: The column of scores, or class to column. The evaluation data need one of the two.
        positive: The label's positive value, for binary models.
        sensitive: Columns of protected attributes; numeric ones may map to their bin edges.
        weight: A column of whole numbers: how many cases a row stands for.
        key: A column that names each row.
        query: A column that the rows of one ranking share, such as a search; for `ranking`.
        time: A column that says when each row happened.
        task: `binary`, `multiclass`, `regression` or `ranking`.
        role: `evaluation`, `reference` (the training data), `current`, or `perturbed` (what the
            model answers where its evaluation data were disturbed).
        model: The logged model whose answers these are: what `log_model` returns, or its id; the
            only one that the run logged if left out.
        run_id: The run to log to; the active one if left out.

    Returns:
        `runs:/RUN_ID/aims_gate/ROLE.parquet`.

    Raises:
        UsageError: There is no active run, a role or task that nobody knows, or the run logged
            several models and *model* does not say whose answers these are.
        MissingExtraError: MLflow or pyarrow is not installed.
        DataError: *frame* is no table, or no row is of the positive class; MissingColumnError if a
            named column is not in it.
        RecordError: The run already has data of this role, or MLflow did not take the file.
    """
    from aims_gate.sources.roles import write_roles

    spec = DataSpec(
        label=label,
        prediction=prediction,
        score=dict(score) if isinstance(score, Mapping) else score,
        positive=_plain(positive),
        task=_task(task),
        key=key,
        query=query,
        weight=weight,
        time=time,
        sensitive=_edges(sensitive),
    )
    chosen = _role(role)
    table = _table(frame, spec, chosen)
    client, run_id = _run(run_id)
    owner = _id_of(model) if model is not None else ""
    if not owner and (spec.prediction or spec.score):
        owner = _only_model(client, run_id, chosen)
    return _log(write_roles(table, spec, model=owner), chosen, client, run_id)


def _table(frame: object, spec: DataSpec, role: Role) -> pa.Table:
    from aims_gate.frames.convert import to_table
    from aims_gate.frames.opening import open_frame
    from aims_gate.sources.roles import refuse_shared, write_roles

    where = f"{role} data"
    table = to_table(frame, where=where)
    # refuses now what the gate would refuse
    rows = open_frame(table, weight=spec.weight, name=where)
    refuse_shared(spec, where=where)
    write_roles(table, spec)  # refuses now what nobody could read
    if table.num_rows == 0:
        raise DataError("the frame has no rows", where=where)
    if role is Role.EVALUATION and (spec.label is None or (spec.prediction or spec.score) is None):
        raise DataError(
            "nothing can be evaluated without a label and a prediction or score",
            where=where,
            hint="name the columns: label=, and prediction= or score=",
        )
    _refuse_positive(rows, spec, where)
    return table


def _refuse_positive(rows: Frame, spec: DataSpec, where: str) -> None:
    """Refuse a positive class that neither a label nor an answer is, as the checks would."""
    from aims_gate.frames import Key
    from aims_gate.frames.widths import stated_as

    if spec.positive is None or spec.label is None:
        return
    columns = [name for name in (spec.label, spec.prediction) if name is not None]
    labels, *answers = (
        [value for (value,) in rows.count(Key(column=name)).values if value is not None]
        for name in columns
    )
    held = zip(columns, (labels, *answers), strict=True)
    if any(stated_as(spec.positive, rows.columns[name].bits) in found for name, found in held):
        return
    few = labels if len(labels) <= _MOST_LABELS else []
    alike = [value for value in few if str(value) == str(spec.positive)]
    hint = near(str(spec.positive), map(str, few)) if few and isinstance(few[0], str) else ""
    if alike:
        hint = f"text and numbers differ: positive={alike[0]!r}"
    elif not hint.startswith("did"):
        hint = "state one of these as it is written"
    shown = ", ".join(map(repr, few)) or f"{len(labels):,} different values"
    typed = " or ".join(f"{name} ({rows.columns[name].type})" for name in columns)
    raise DataError(
        f"the positive class {spec.positive!r} occurs nowhere in {typed}; the labels are {shown}",
        where=where,
        hint=hint,
    )


def _id_of(model: object) -> str:
    """Id of a logged model, from text or from what MLflow's functions return."""
    if isinstance(model, str):
        return model.removeprefix("models:/")
    for name in ("model_id", "model_uuid"):
        found = getattr(model, name, None)
        if isinstance(found, str) and found:
            return found
    hint = "give what log_model returns, or its id, m-…"
    raise UsageError(f"model is a {type(model).__name__}, and no logged model", hint=hint)


def _only_model(client: Any, run_id: str, role: Role) -> str:
    """Id of the one model that the run logged; empty if it has not logged one yet."""
    from aims_gate.sources.mlflow.owner import HISTORY, ids_of

    with _recorded(role, run_id):
        run = client.get_run(run_id)
    outputs = getattr(run, "outputs", None)
    logged = [one.model_id for one in (outputs.model_outputs if outputs else ())]
    models = logged or [*ids_of(run.data.tags.get(HISTORY, ""))]
    if len(set(models)) > 1:
        raise UsageError(
            f"the run logged several models: {', '.join(models[:4])}",
            where=f"runs:/{run_id}",
            hint=f'say whose answers these are: log_evaluation(…, model="{models[-1]}")',
        )
    return models[0] if models else ""


def _log(table: pa.Table, role: Role, client: Any, run_id: str) -> str:
    name = f"aims_gate/{role}.parquet"
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        path = Path(private) / f"{role}.parquet"
        digest = _write(table, path)
        with _recorded(role, run_id):
            _refuse_second(client, run_id, name, role)
            client.log_artifact(run_id, str(path), "aims_gate")
            client.log_inputs(run_id, [_dataset(table, role, digest, f"runs:/{run_id}/{name}")])
    return f"runs:/{run_id}/{name}"


def _refuse_second(client: Any, run_id: str, name: str, role: Role) -> None:
    if name in {info.path for info in client.list_artifacts(run_id, "aims_gate")}:
        raise RecordError(
            f"the run already has {role} data",
            where=f"runs:/{run_id}/{name}",
            hint="what was judged must not change afterwards: log other data in another role "
            "(evaluation, reference, current, perturbed), or leave aims-gate out this time",
        )


@contextmanager
def _recorded(role: Role, run_id: str) -> Iterator[None]:
    try:
        yield
    except RecordError:
        raise
    except Exception as error:  # stores are plug-ins: they raise what their libraries raise
        raise RecordError(
            f"MLflow did not take the {role} data: {type(error).__name__}", where=run_id
        ) from error


def _run(run_id: str | None) -> tuple[Any, str]:
    try:
        import mlflow
    except ImportError:
        raise MissingExtraError.for_library("mlflow", "gate", "log_evaluation") from None
    active = mlflow.active_run()
    if run_id is None and active is None:
        raise UsageError(
            "there is no active MLflow run",
            hint="call log_evaluation inside `with mlflow.start_run():`, or give run_id=",
        )
    return mlflow.MlflowClient(), run_id or active.info.run_id


def _write(table: pa.Table, path: Path) -> str:
    """Write the file; returns the first digits of its SHA-256."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        parquet.write_table(table, path, compression="zstd")
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"the frame cannot be written as Parquet: {error}") from error
    return canonical.sha256_file(path)[:_MOST_DIGEST]


def _dataset(table: pa.Table, role: Role, digest: str, uri: str) -> Any:
    """Describe the data in MLflow's own words, so that its pages show what was judged."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=f"aims_gate.{role}",
        digest=digest,
        source_type="aims_gate",
        source=json.dumps({"uri": uri}),
        profile=json.dumps({"num_rows": table.num_rows, "num_columns": table.num_columns}),
    )
    return DatasetInput(dataset, tags=[InputTag("mlflow.data.context", role.value)])


def _role(role: str) -> Role:
    # a candidate's author does not say what the champion answers
    known = [role.value for role in Role if role is not Role.CHAMPION]
    if role not in known:
        raise UsageError(f"unknown data role {role!r}", hint=near(role, known))
    return Role(role)


def _task(task: str | None) -> TaskKind | None:
    known = [kind.value for kind in TaskKind]
    if task is not None and task not in known:
        raise UsageError(f"unknown task {task!r}", hint=near(task, known))
    return None if task is None else TaskKind(task)


def _plain(value: object) -> Any:
    """Turn a NumPy scalar into Python's own, which is what the metadata can hold."""
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def _edges(
    sensitive: Iterable[str] | Mapping[str, Iterable[float] | None] | None,
) -> dict[str, tuple[float, ...] | None]:
    if isinstance(sensitive, str):
        raise UsageError(f"sensitive is one name, {sensitive!r}", hint="give a list of columns")
    if isinstance(sensitive, Mapping):
        return {
            column: None if edges is None else tuple(map(float, edges))
            for column, edges in sensitive.items()
        }
    return dict.fromkeys(sensitive or ())
