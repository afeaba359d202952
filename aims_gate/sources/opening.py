"""Open the model under test by any URI, with its data and predictions."""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.errors import UsageError
from aims_gate.policy.model import Policy, Role
from aims_gate.sources import SOURCES
from aims_gate.sources.estimator import open_estimator
from aims_gate.sources.scoring import score
from aims_gate.sources.subject import Subject, Workspace


def open_subject(
    model: object, *, policy: Policy, given: Mapping[Role, object], workspace: Workspace
) -> Subject:
    """Open a model URI, or a fitted estimator in memory, and let it predict where that is asked.

    UsageError if *model* is neither; SourceError if it cannot be read.
    """
    if model is None:
        raise UsageError("there is no model to gate", hint="give a URI, or a fitted estimator")
    if not isinstance(model, str):
        return open_estimator(model, policy=policy, given=given, workspace=workspace)
    workspace.progress(f"reading {model}")
    source = SOURCES[scheme(model)]
    return score(source.open(model, policy=policy, given=given, workspace=workspace), workspace)


def scheme(uri: str) -> str:
    """Scheme of a model URI; UsageError if it has none or no source reads it."""
    head, colon, _rest = uri.partition(":")
    if not colon:
        hint = f"write file:{uri} for a folder, or models:/NAME/VERSION"
        raise UsageError(f"{uri!r} is not a model URI", hint=hint)
    if head not in SOURCES:
        known = ", ".join(f"{name}:" for name in SOURCES)
        raise UsageError(f"no source reads {head}: URIs", where=uri, hint=f"there are {known}")
    return head
