"""The registry file: what it guards, what is left out, and how a wrong one is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import registry_file
from aims_gate.errors import PolicyError, UsageError
from aims_gate.registry_file import Guarded, Notify
from aims_gate.registry_file.grammar import fold
from tests.support.laws import law

HEAD = "apiVersion: aims-gate/v1\nkind: Registry\n"
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
"""ASCII to its full-width twins."""
LEAST = f'{HEAD}trust: trust.yaml\nmodels:\n- pattern: "credit-*"\n'


def _file(folder: Path, text: str) -> Path:
    path = folder / "registry.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        registry_file.read(_file(folder, text))
    return list(map(str, caught.value.problems))


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    """One that refuses nothing yet: observe, champion, our last stage and MLflow's of its name."""
    read = registry_file.read(_file(tmp_path, LEAST))
    (one,) = read.models
    assert one == Guarded(
        pattern="credit-*",
        aliases=("champion",),
        mode="observe",
        stage="production",
        stages=("Production",),
        where="registry.yaml:5",
    )
    assert not one.enforces
    assert (read.trust, read.identity, read.server) == (tmp_path / "trust.yaml", frozenset(), "")
    assert (read.sweep, read.reverts, read.inbox) == (timedelta(minutes=15), 3, "")
    assert (one.policy, one.trigger_alias, one.trigger_tag, one.on_fail) == ("", "", "", "report")


def test_every_key_is_read(tmp_path: Path) -> None:
    text = f"""{HEAD}trust: /etc/gate/trust.yaml
server: prod
identity: [gate-bot]
models:
- pattern: "credit-*"
  aliases: [Champion, live]
  mode: enforce
  stage: staging
  stages: [Production, Staging]
  policy: policy.yaml
  trigger: {{alias: candidate, tag: gate.request}}
  on_fail: revert
- {{pattern: "*", stage: dev}}
notify: [{{url: "https://hooks.acme.example/gate", secret: GATE_HOOK}}]
inbox: postgresql+psycopg://gate@db/inbox
sweep: 5m
reverts: 0
"""
    read = registry_file.read(_file(tmp_path, text))
    assert read.trust == Path("/etc/gate/trust.yaml")
    assert (read.server, read.identity) == ("prod", frozenset({"gate-bot"}))
    first, second = read.models
    assert first.enforces
    assert first.stages == ("Production", "Staging")
    assert (first.stage, first.policy, first.on_fail) == ("staging", "policy.yaml", "revert")
    assert (first.trigger_alias, first.trigger_tag) == ("candidate", "gate.request")
    assert second.stages == ()
    assert read.notify == (Notify(url="https://hooks.acme.example/gate", secret="GATE_HOOK"),)
    assert read.inbox == "postgresql+psycopg://gate@db/inbox"
    assert (read.sweep, read.reverts) == (timedelta(minutes=5), 0)


def test_the_first_pattern_that_fits_decides(tmp_path: Path) -> None:
    read = registry_file.read(_file(tmp_path, f"{LEAST}  mode: enforce\n- pattern: '*'\n"))
    found = [read.guarded(name) for name in ("credit-risk", "fraud")]
    assert [one.where for one in found if one] == ["registry.yaml:5", "registry.yaml:7"]
    assert registry_file.read(_file(tmp_path, LEAST)).guarded("fraud") is None


@pytest.mark.parametrize(
    "name", ["credit-x", "Credit-X", "CREDIT-x".translate(WIDE), " credit-x\n"]
)
def test_a_name_in_another_case_or_width_is_the_same(tmp_path: Path, name: str) -> None:
    """Some databases take them for one, and a guard must not depend on which it is."""
    assert registry_file.read(_file(tmp_path, LEAST)).guarded(name) is not None


@pytest.mark.parametrize(
    "alias", ["champion", "CHAMPION", "champion".translate(WIDE), "champion\n", "\ufb01"]
)
def test_an_alias_in_another_case_or_width_is_the_same(alias: str) -> None:
    """MLflow lets an alias end with a line break, too."""
    assert Guarded(pattern="*", aliases=("Champion", "FI")).guards_alias(alias)


def test_other_aliases_and_stages_are_free() -> None:
    one = Guarded(pattern="*", stages=("Production",))
    assert not any(map(one.guards_alias, ("challenger", "champion2", "", "champ")))
    assert [one.guards_stage(stage) for stage in ("production", "Staging", "None")] == [
        True,
        False,
        False,
    ]


@law(200)
@given(st.text())
def test_folding_is_idempotent_and_ignores_case(name: str) -> None:
    assert fold(fold(name)) == fold(name)
    assert fold(None) == ""
    assert fold(name.upper().lower()) == fold(name.lower().upper().lower())


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("aliases: champion", "registry.yaml:6: models[0].aliases must be a list"),
        ("aliases: ['*']", "must be aliases, not '*'; letters, digits, '_' and '-'"),
        ("aliases: []", "models[0].aliases is an empty list"),
        ("aliases: [live, Live]", "names an alias twice; upper and lower case are one"),
        ("mode: enforced", "must be one of observe, enforce, not 'enforced'; did you mean"),
        ("modes: enforce", "unknown key 'modes' in models[0]; did you mean 'mode'"),
        ("stages: [production]", "must be one of Staging, Production"),
        ("stage: ''", "must not be empty"),
        ("trigger: {}", "names neither an alias nor a tag"),
        ("trigger: {alias: CHAMPION}", "guards 'CHAMPION', which also asks for an evaluation"),
        ("on_fail: delete", "must be one of report, revert"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_line(tmp_path: Path, lines: str, told: str) -> None:
    (problem,) = _problems(tmp_path, f"{LEAST}  {lines}\n")
    assert told in problem


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("identity: []", "identity is an empty list"),
        ("notify: [{url: 'ftp://x', secret: A}]", "must be an address"),
        ("notify: [{url: 'https://[x', secret: A}]", "must be an address"),
        ("notify: [{url: 'https://a:b@x/', secret: A}]", "holds a user name or password"),
        ("notify: [{url: 'https://x/', secret: s3cret}]", "must name a variable"),
        ("inbox: mysql://x/y", "must be a database, not 'mysql'"),
        ("inbox: 'sqlite://'", "must be a database"),
        ("inbox: postgresql://a:b@x/y", "holds a password; set PGPASSWORD"),
        ("inbox: 'postgresql://x/y?password=b'", "holds a password"),
        ("sweep: hourly", "must be an age, not 'hourly'"),
        ("reverts: 1.5", "must be a whole number from 0 to 1000"),
        ("modles: []", "did you mean 'models'"),
    ],
)
def test_a_wrong_key_is_refused_with_its_line(tmp_path: Path, lines: str, told: str) -> None:
    (problem,) = _problems(tmp_path, f"{LEAST}{lines}\n")
    assert problem.startswith("registry.yaml:6: ")
    assert told in problem
    assert "s3cret" not in problem or "secret" in told or "variable" in told


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("credit-\uff0a", "has a wildcard that only looks like one"),
        ("*\uff0a", "has a wildcard that only looks like one"),
        ("models:/credit", "has '/' or ':', which no model's name has"),
        (" ", "must not be empty"),
    ],
)
def test_a_pattern_that_says_something_else_is_refused(
    tmp_path: Path, pattern: str, told: str
) -> None:
    text = f"{HEAD}trust: t\nmodels: [{{pattern: '{pattern}'}}]\n"
    assert told in _problems(tmp_path, text)[0]


def test_nothing_to_guard_is_no_registry_file(tmp_path: Path) -> None:
    assert "models is an empty list" in _problems(tmp_path, f"{HEAD}trust: t\nmodels: []\n")[0]
    assert "lacks 'models'" in _problems(tmp_path, f"{HEAD}trust: t\n")[0]
    assert "lacks 'trust'" in _problems(tmp_path, f"{HEAD}models: [{{pattern: a}}]\n")[0]


def test_it_is_found_by_name_by_the_environment_or_here(tmp_path: Path) -> None:
    environ = {registry_file.VARIABLE: "/etc/gate.yaml"}
    assert registry_file.find(environ, Path("a.yaml")) == Path("a.yaml")
    assert registry_file.find(environ) == Path("/etc/gate.yaml")
    assert registry_file.find({}) == Path("registry.yaml")
    with pytest.raises(UsageError, match="cannot read the registry file") as caught:
        registry_file.read(tmp_path / "nowhere.yaml")
    assert "AIMS_GATE_REGISTRY" in str(caught.value)
