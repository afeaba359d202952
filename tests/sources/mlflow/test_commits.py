"""`commit:…`: the one finished run that was made from a commit, or an error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.sources import SOURCES
from tests.sources.mlflow.opened import Space, fetch
from tests.support.registry_content import Content


def commit_of(content: Content) -> str:
    import uuid

    return uuid.uuid4().hex + "0" * 8


def of_commit(content: Content, commit: str, *, end: bool = True) -> tuple[str, str]:
    run_id = content.run(end=end, tags={"mlflow.source.git.commit": commit})
    return run_id, content.model(run_id)


def test_a_commit_is_the_one_finished_run_that_was_made_from_it(
    content: Content, space: Space
) -> None:
    commit = commit_of(content)
    run_id, model_id = of_commit(content, commit)
    of_commit(content, commit, end=False)  # a run that still runs is not meant
    workspace = space(content.uri)
    fetched = SOURCES["commit"].fetch(f"commit:{commit}", workspace=workspace)
    assert (fetched.model.run_id, fetched.model.model_id) == (run_id, model_id)
    assert (fetched.model.uri, fetched.model.resolved_uri) == (
        f"commit:{commit}",
        f"models:/{model_id}",
    )


def test_a_commit_of_no_or_many_finished_runs_is_undecided_and_says_what_there_is(
    content: Content, space: Space
) -> None:
    commit = commit_of(content)
    with pytest.raises(SourceError, match="no finished run in all experiments"):
        fetch(f"commit:{commit}", space(content.uri))
    running, _ = of_commit(content, commit, end=False)
    with pytest.raises(SourceError, match=f"runs:/{running} is RUNNING"):
        fetch(f"commit:{commit}", space(content.uri))
    first, second = (of_commit(content, commit)[0] for _ in range(2))
    with pytest.raises(SourceError, match="2 finished runs") as caught:
        fetch(f"commit:{commit}", space(content.uri))
    assert first in str(caught.value)
    assert second in str(caught.value)
    assert caught.value.exit_code == 3


def test_an_experiment_says_which_of_two_runs_is_meant(content: Content, space: Space) -> None:
    commit = commit_of(content)
    of_commit(content, commit)
    name = f"training-{commit[:8]}"
    experiment = content.client.create_experiment(name)
    tags = {"mlflow.source.git.commit": commit}
    run_id = content.client.create_run(experiment, tags=tags).info.run_id
    content.client.set_terminated(run_id)
    model_id = content.model(run_id)
    fetched = fetch(f"commit:{commit}", replace(space(content.uri), experiment=name))
    assert (fetched.model.run_id, fetched.model.model_id) == (run_id, model_id)
    with pytest.raises(SourceError, match="2 finished runs"):
        fetch(f"commit:{commit}", space(content.uri))
    with pytest.raises(SourceError):
        fetch(f"commit:{commit}", replace(space(content.uri), experiment="nobody"))


@pytest.mark.parametrize("commit", ["", "abc123", "HEAD", "A" * 40, "g" * 40, "0" * 41, "' or '1"])
def test_only_a_full_commit_is_one(content: Content, space: Space, commit: str) -> None:
    with pytest.raises(UsageError, match="not a full git commit"):
        fetch(f"commit:{commit}", space(content.uri))
