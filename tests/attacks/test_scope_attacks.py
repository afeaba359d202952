"""Attempts to be exempt by a name: only a name that a registry knows is an exception of a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

import aims_gate
from aims_gate.errors import PolicyError
from tests.conftest import Store
from tests.support.registry_content import Content

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own deprecations

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: scoped, version: "1"}\n'
# the artifact `weights` is in the way of one rule, which is about other names than `model`
RULES = (
    "rules:\n  - {id: INTEG-01, check: integrity.model}\n"
    "  - id: INTEG-02\n    check: integrity.model\n    with: {require_files: [card.md]}\n"
    '    applies_to: {models: ["credit-*"]}\n'
)
COMMIT = "c0ffee" * 6 + "abcd"


@pytest.fixture
def uris(mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One model under every kind of URI, under names that no rule is about."""
    monkeypatch.chdir(tmp_path)
    content = Content(uri=mlflow_store.uri)
    run = content.run(tags={"mlflow.source.git.commit": COMMIT})
    model = content.model(run)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w.bin").write_bytes(b"\0\1")
    found = {
        "models": f"models:/toy/{content.version('toy', f'models:/{model}', run)}",
        "credit": f"models:/credit-1/{content.version('credit-1', f'models:/{model}', run)}",
        "logged": f"models:/{model}",
        "run": f"runs:/{run}/model",
        "commit": f"commit:{COMMIT}",
        "folder": "file:model",
    }
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    return found


def outcome(uri: str, policy: str) -> str:
    Path("policy.yaml").write_text(HEAD + policy, encoding="utf-8")
    verdict = aims_gate.run("policy.yaml", uri)
    return {result.rule: result.outcome for result in verdict.results}["INTEG-02"].value


@pytest.mark.parametrize("kind", ["logged", "run", "commit", "folder"])
def test_a_name_that_no_registry_knows_exempts_from_no_rule(
    kind: str, uris: dict[str, str]
) -> None:
    assert outcome(uris[kind], RULES) == "FAIL"
    # a stage is the caller's, and still counts
    assert outcome(uris[kind], RULES.replace('models: ["credit-*"]', "stages: [dev]")) == (
        "NOT_APPLICABLE"
    )


def test_a_registered_name_is_what_a_rule_is_about(uris: dict[str, str]) -> None:
    assert outcome(uris["models"], RULES) == "NOT_APPLICABLE"
    assert outcome(uris["credit"], RULES) == "FAIL"


@pytest.mark.parametrize("kind", ["logged", "run", "commit", "folder"])
@pytest.mark.parametrize("pattern", ["model", "m*", "credit-*"])
def test_a_policy_about_names_is_about_no_model_without_one(
    kind: str, pattern: str, uris: dict[str, str]
) -> None:
    """Nobody calls a model so that a lenient policy is applied to it, or escapes a strict one."""
    with pytest.raises(PolicyError, match="only a registered name counts"):
        outcome(uris[kind], f'applies_to: {{models: ["{pattern}"]}}\n{RULES}')
    assert outcome(uris[kind], f'applies_to: {{models: ["*"]}}\n{RULES}') == "FAIL"
