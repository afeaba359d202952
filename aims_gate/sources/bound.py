"""Model binding: verifies that logged predictions are those of the judged model.

It is the author's claim, as the answers are: it stops accidents, such as a table of one model in a
run that logged two. What stops a liar is `predictions: model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aims_gate.errors import DataError
from aims_gate.facts import DatasetIdentity
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data

BOUND_TO_NONE = "the answers are bound to no model by name; the run made one"
"""Note on predictions that name no model, where there is only one."""
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The model that is judged, as far as it has an id, and the run whose data are read."""

    model: str = ""
    """`m-…`, or the `model_uuid` of its MLmodel file."""
    run_id: str = ""
    made: tuple[str, ...] = ()
    """Ids of the models that the run says it made."""


def hold(
    data: Mapping[Role, Data], unread: Mapping[Role, DataError], owner: Owner
) -> tuple[dict[Role, Data], dict[Role, DataError]]:
    """Split the data into those that may be predictions of *owner*, and errors for the others."""
    kept, refused = dict(data), dict(unread)
    for role, found in data.items():
        if role is Role.CHAMPION:  # another model's answers, by its name
            continue
        try:
            kept[role] = answers_of(found, owner)
        except DataError as error:
            del kept[role]
            refused[role] = error
    return kept, refused


def answers_of(data: Data, owner: Owner) -> Data:
    """The data, with a note if they do not name the model whose predictions they hold.

    Raises:
        DataError: They are another model's answers, or may be those of any of several.
    """
    spec, where = data.spec, f"{data.role} data"
    if spec.predictions is not None or not (spec.prediction or spec.score):
        return data
    tables = data.answers or (data.identity,)
    if not [table for table in tables if _unbound(table, owner, where)]:
        return data
    notes = (*data.identity.notes, BOUND_TO_NONE)
    return replace(data, identity=replace(data.identity, notes=notes))


def _unbound(table: DatasetIdentity, owner: Owner, where: str) -> bool:
    """Tell whether a table that the model's own run logged names no model."""
    claim, logged_here = table.model_id, _of_run(table, owner)
    if claim:
        if claim == owner.model or not (owner.model or owner.run_id):
            return False
        ours = owner.model or "a model without an id"
        hint = f"gate models:/{claim}, or log this model's answers: log_evaluation(…, model=…)"
        raise DataError(f"these are answers of {claim}, not of {ours}", where=where, hint=hint)
    models = dict.fromkeys((*owner.made, *([owner.model] if owner.model else [])))
    if logged_here and len(models) + (bool(owner.made) and not owner.model) > 1:
        known = ", ".join([*models][:_SHOWN]) + (" …" if len(models) > _SHOWN else "")
        what = (
            f"the run made several models ({known}), and the data do not say whose answers they are"
        )
        hint = f'log them with log_evaluation(…, model="{owner.model or "m-…"}"), in a new run'
        raise DataError(what, where=where, hint=hint)
    return logged_here


def _of_run(table: DatasetIdentity, owner: Owner) -> bool:
    """Tell whether the run brought a table: among its artifacts, or as a data set that it names."""
    artifact = table.uri.startswith(f"runs:/{owner.run_id}/")
    return bool(owner.run_id) and (artifact or bool(table.mlflow_digest))
