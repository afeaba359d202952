"""docs/policy.md: every snippet does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aims_gate.policy.grammar import POLICY, DataText, MetadataText, PolicyText, RuleText
from aims_gate.policy.resolve import resolve

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: page, version: "1"}\n'
RULES = "rules: [{id: PERF-01, check: performance.score, require: {at_least: 0.8}}]\n"
YAML = re.findall(r"```yaml\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", PAGE, re.DOTALL)


def whole(snippet: str) -> str:
    """Complete a fragment to a policy."""
    if snippet.startswith("apiVersion"):
        return snippet
    return HEAD + snippet + ("" if "rules:" in snippet else RULES)


@pytest.mark.parametrize(("snippet", "told"), YAML)
def test_each_snippet_is_accepted_or_refused_in_the_words_below_it(snippet: str, told: str) -> None:
    _, problems = resolve(whole(snippet).encode(), uri="policy.yaml")
    assert [str(problem) for problem in problems] == told.splitlines()


def test_the_page_has_snippets_of_both_kinds() -> None:
    assert sum(not told for _, told in YAML) >= 4
    assert sum(bool(told) for _, told in YAML) >= 4


@pytest.mark.parametrize("model", [PolicyText, MetadataText, DataText, RuleText])
def test_every_key_is_on_the_page(model: type[PolicyText]) -> None:
    for name, info in model.model_fields.items():
        assert re.search(rf"`([a-z]+\.)?{info.alias or name}`", PAGE), name


def test_every_key_of_a_later_version_is_on_the_page() -> None:
    section = PAGE.partition("## Refused until")[2].partition("##")[0]
    named = {key for _, key in POLICY.later} - {"uri", "file", "sha256"}
    assert all(f"`{key}`" in section for key in named)
