"""Every command and snippet of README and docs/ runs, in the order in which a reader meets them.

A page is read from top to bottom in one folder: `yaml title=FILE` is written to FILE, `python` is
executed, and each `$ aims-gate …` of a `console` block runs and must exit 0, or as `# exit N` says.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

import aims_gate
from aims_gate.__main__ import guarded
from aims_gate.checks import CHECKS
from aims_gate.cli import cli
from tests.conftest import Store
from tests.support import installed
from tests.support.promoting import House

ROOT = Path(__file__).parents[1]
START = ("README.md", "docs/using.md")
"""Read in this order."""
_BLOCK = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ aims-gate (.*?)(?:\s+# exit (\d))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    language: str
    title: str
    text: str


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    for language, title, body in _BLOCK.findall(text):
        yield Block(language=language, title=title, text=body)


def commands(block: Block) -> Iterator[tuple[list[str], int]]:
    joined = block.text.replace("\\\n", " ")
    for line, code in _COMMAND.findall(joined):
        yield shlex.split(line), int(code or 0)


def scored() -> Any:
    """A pandas frame of 4,000 cases with unequal groups and a decent model's answers."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(42)
    frame = pd.DataFrame({"income": random.normal(40, 12, 4000)})
    frame["sex"] = np.where(random.random(4000) < 0.4, "F", "M")
    frame["approved"] = (frame["income"] + random.normal(0, 10, 4000) > 40).astype(int)
    return frame


def trained(frame: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(frame[["income"]], frame["approved"])
    frame["score"] = model.predict_proba(frame[["income"]])[:, 1]
    frame["prediction"] = (frame["score"] >= 0.5).astype(int)
    return model


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_store: Store) -> Path:
    """A reader's folder, with a local MLflow store in the environment."""
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    return folder


@pytest.mark.filterwarnings("ignore")
def test_readme_works_from_top_to_bottom(reader: Path, mlflow: Any) -> None:
    """The snippets train, log, gate and verify a model, as printed, there and in using.md."""
    frame = scored()
    names: dict[str, Any] = {"model": trained(frame), "scored": frame}
    ran = 0
    for block in (block for page in START for block in blocks(page)):
        if block.language == "python":
            exec(compile(block.text, "a page", "exec"), names)  # noqa: S102  # our own page
        elif block.title:
            (reader / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            for arguments, code in commands(block):
                assert guarded(arguments) == code, arguments
                ran += 1
        elif block.language == "bash" and shutil.which("jq"):
            done = subprocess.run(["bash", "-ec", block.text], check=True, capture_output=True)
            assert b'"at_least": 0.8' in done.stdout
    assert ran >= 6
    assert "Policy met: credit 1" in (reader / "report.html").read_text(encoding="utf-8")


def test_the_policy_pages_commands_run(reader: Path) -> None:
    """Each command of docs/policy.md works on the policy of README."""
    (policy,) = [block for block in blocks("README.md") if block.title == "policy.yaml"]
    (reader / "policy.yaml").write_text(policy.text, encoding="utf-8")
    lines = [line for block in blocks("docs/policy.md") for line in commands(block)]
    assert len(lines) >= 6
    for arguments, code in lines:
        assert guarded(arguments) == code, arguments


@pytest.mark.filterwarnings("ignore")
def test_the_page_of_promoting_promotes_and_takes_back(
    reader: Path, mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands, on two gated versions, and its trust file: version 1, then 2, then 1 again."""
    assert guarded(["evidence", "key", "generate"]) == 0
    house = House.build(mlflow_store.uri, tmp_path / "house")
    house.name = "credit"
    house.use_key(reader / "gate.key")
    versions = [house.version(), house.version()]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)  # which MLflow took away
    page = list(blocks("docs/promote.md"))
    (trust,) = [block for block in page if block.title]
    (reader / trust.title).write_text(trust.text, encoding="utf-8")
    champions = []
    typed = [block for block in page if block.language == "console"]  # others need a second server
    for arguments, code in (line for block in typed for line in commands(block)):
        assert guarded(arguments) == code, arguments
        champions.append(house.champion())
    assert champions == [None, *versions, versions[0]]


@pytest.mark.filterwarnings("ignore")
def test_the_page_of_the_guard_adopts_and_breaks_the_glass(
    reader: Path, mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are sound, and its commands sign what the guard reads."""
    house = House.build(mlflow_store.uri, tmp_path / "house")
    house.name = "credit"
    house.content.client.set_registered_model_alias("credit", "champion", house.version())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)  # which MLflow took away
    page = list(blocks("docs/guard.md"))
    for block in page:
        if block.title:
            (reader / block.title).write_text(block.text, encoding="utf-8")
    lines = re.findall(r"^ *\$ aims-gate (.*)$", text_of("docs/guard.md"), re.MULTILINE)
    assert len(lines) == 7
    for line in lines:
        assert guarded(shlex.split(line)) == 0, line
    for folder in ("adopted", "breakglass"):
        assert len(list((reader / folder).glob("*.dsse.json"))) == 1


@pytest.mark.filterwarnings("ignore")
def test_the_page_of_the_webhook_reconciles_and_tells_the_history(
    reader: Path, mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is sound, and its commands prove what is live."""
    assert guarded(["evidence", "key", "generate"]) == 0
    house = House.build(mlflow_store.uri, tmp_path / "house")
    house.name = "credit"
    house.use_key(reader / "gate.key")
    house.promote(house.version())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)  # which MLflow took away
    shutil.copy(house.trust_file, reader / "trust.yaml")
    page = list(blocks("docs/webhook.md"))
    (file,) = [block for block in page if block.title]
    (reader / file.title).write_text(file.text, encoding="utf-8")
    typed = [line for block in page if block.language == "console" for line in commands(block)]
    assert len(typed) == 3
    for arguments, code in typed:
        assert guarded(arguments) == code, arguments


@pytest.mark.filterwarnings("ignore")
def test_trees_pass_as_the_policy_page_logs_them(reader: Path, mlflow: Any) -> None:
    """In skops, with the types that skops does not trust named, the pack denies nothing of them."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    (block,) = [block for block in blocks("docs/policy.md") if block.title == "trees.py"]
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    (by_histogram,) = re.findall(r"For `HistGradientBoosting…` it is `([\w.]+)`", page)
    policy = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: trees, version: '1'}\nrules:\n"
    policy += "  - id: INTEG-01\n    check: integrity.model\n"
    policy += "    with: {deny: [pickle, cloudpickle, joblib, torch]}\n"
    (reader / "policy.yaml").write_text(policy, encoding="utf-8")
    frame = scored()[["income", "approved"]]
    other = block.text.replace("sklearn.tree._tree.Tree", by_histogram)
    for tree, text in (
        (RandomForestClassifier(n_estimators=3), block.text),
        (HistGradientBoostingClassifier(max_iter=3), other),
    ):
        names = {"forest": tree.fit(frame[["income"]], frame["approved"]), "mlflow": mlflow}
        with mlflow.start_run():
            exec(compile(f"logged = {text}", "docs/policy.md", "exec"), names)  # noqa: S102  # our own page
        verdict = aims_gate.run("policy.yaml", names["logged"].model_uri)
        assert verdict.passed, verdict.results


def test_the_install_lines_of_readme_find_the_wheel_and_the_checkout(tmp_path: Path) -> None:
    """Each line is taken as printed; what else it needs is not looked for here."""
    page = " ".join("".join(map(text_of, START)).split())
    lines = re.findall(r"`(pip (?:install|wheel) [^`]+)`", page)
    assert len(lines) == 9
    (tmp_path / "dist").mkdir()
    installed.wheel(tmp_path / "dist")
    for line in lines:
        _pip, verb, *words = shlex.split(line)
        offline = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
        there = ROOT if any(word.startswith(".") for word in words) else tmp_path
        dry = ["--dry-run"] if verb == "install" else ["--wheel-dir", str(tmp_path / "built")]
        command = [sys.executable, "-m", "pip", verb, *words, *offline, *dry]
        done = subprocess.run(command, cwd=there, check=False, capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)


def test_the_line_of_the_docs_completes_commands_in_bash(tmp_path: Path) -> None:
    """`ver` and a tab becomes `verify`, and an option is found."""
    (line,) = re.findall(r"`(eval [^`]+)`", text_of("docs/using.md"))
    script = tmp_path / "aims-gate"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aims_gate "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    told = f"{line}\n"
    for words, place in (("aims-gate ver", 1), ("aims-gate policy simulate --st", 3)):
        told += f"COMP_WORDS=({words}); COMP_CWORD={place}; COMPREPLY=()\n"
        told += 'compopt() { :; }; _aims_gate_completion aims-gate; echo "${COMPREPLY[@]}"\n'
    environ = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    environ |= {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", told], check=True, capture_output=True, text=True, env=environ
    )
    assert done.stdout.split("\n") == ["verify", "--stage", ""]


def test_the_page_of_data_shows_bias_in_more_than_two_classes(
    reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its policy, on 3,000 cases of three classes, in which women are urgent half as often."""
    (policy,) = [block for block in blocks("docs/data.md") if block.title == "triage.yaml"]
    (reader / "triage.yaml").write_text(policy.text, encoding="utf-8")
    (reader / "model").mkdir()
    (reader / "model" / "weights").touch()
    lines = ["y,yhat,sex"]
    for sex, urgent in (("F", 2), ("M", 4)):
        classes = ["urgent"] * urgent + ["soon"] * 3 + ["later"] * (5 - urgent + 2)
        lines += [f"{one},{one},{sex}" for one in classes * 150]
    (reader / "triage.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (arguments,) = [
        words
        for block in blocks("docs/data.md")
        for words, _code in commands(block)
        if "triage.yaml" in words
    ]
    assert guarded(arguments) == 1
    told = capsys.readouterr().out
    assert "FAIL  BIAS-02  impact ratio sex=F" in told
    assert "PASS  PERF-01" in told
    assert "PASS  BIAS-03" in told
    assert "compare the named groups in the training data" in told


def test_the_page_of_fairness_is_a_policy_that_decides(
    reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its policy is sound, and every rule of it measures a model's real answers."""
    import numpy as np

    (policy,) = [block for block in blocks("docs/fairness.md") if block.title == "fair.yaml"]
    (reader / "fair.yaml").write_text(policy.text, encoding="utf-8")
    for block in blocks("docs/fairness.md"):
        for arguments, code in commands(block):
            assert guarded(arguments) == code, arguments
    frame = scored()
    trained(frame)
    frame["age"] = np.random.default_rng(3).integers(18, 80, len(frame))
    for name in ("evaluation", "current"):
        frame.to_csv(reader / f"{name}.csv", index=False)
    (reader / "model").mkdir()
    (reader / "model" / "weights").touch()
    data = [f"--data={name}={name}.csv" for name in ("evaluation", "current")]
    arguments = ["run", "fair.yaml", "--model", "file:model", "--unsigned", "--out", "e", *data]
    capsys.readouterr()
    guarded(arguments)
    told = capsys.readouterr().out
    assert "ERROR" not in told
    assert "MISSING" not in told
    for rule in ("02", "03", "04", "07", "08", "09", "10"):
        assert f"BIAS-{rule}" in told


def test_the_page_of_tables_judges_one_where_it_is_held(
    reader: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its policy and its operator's file, on a DuckDB file of 4,000 rows."""
    import duckdb

    frame = scored()
    frame["repaid"] = frame["approved"]
    frame["approved"] = (frame["income"] > 40).astype(int)
    outside = tmp_path_factory.mktemp("operator") / "operator.yaml"
    with duckdb.connect(str(outside.with_name("warehouse.duckdb"))) as connection:
        connection.from_df(frame).create("scored")
    (reader / "model").mkdir()
    (reader / "model" / "weights").touch()
    page = list(blocks("docs/tables.md"))
    for block in page:
        if block.title:
            named = outside if block.title == "operator.yaml" else reader / block.title
            named.write_text(block.text, encoding="utf-8")
    monkeypatch.setenv("AIMS_GATE_CONFIG", str(outside))
    for block in page:
        for arguments, code in commands(block):
            assert guarded(arguments) == code, arguments


def test_the_page_of_data_shows_a_ranking(reader: Path) -> None:
    """Its policy is sound, and holds a ranking by the rows that share a search."""
    (policy,) = [block for block in blocks("docs/data.md") if block.title == "search.yaml"]
    (reader / "search.yaml").write_text(policy.text, encoding="utf-8")
    (reader / "model").mkdir()
    (reader / "model" / "weights").touch()
    lines = ["search,relevance,s"]
    for search in range(90):
        lines += [f"{search},{place % 3},{place % 3 + (search + place) % 4}" for place in range(9)]
    (reader / "search.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["run", "search.yaml", "--model", "file:model", "--unsigned"]
    assert guarded(["policy", "check", "search.yaml"]) == 0
    assert guarded([*arguments, "--data", "evaluation=search.csv"]) == 0


PAGES = sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("docs/*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_docs_exists(page: str) -> None:
    """Each `aims-gate …` line of a page names commands and options that are there."""
    lines = [line for block in blocks(page) for line, _code in commands(block)]
    for arguments in lines:
        command, words = resolved(arguments)
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known | {"--help"}, arguments


def resolved(arguments: list[str]) -> tuple[click.Command, list[str]]:
    """Find the command that a line calls, and the words that are left for it."""
    command: click.Command = cli
    words = list(arguments)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, arguments
        command = found
    return command, words


def test_every_command_is_in_the_docs() -> None:
    """A command that no page shows is not there for its user."""
    pages = "".join(p.read_text(encoding="utf-8") for p in [*ROOT.glob("docs/*.md")])
    pages += (ROOT / "README.md").read_text(encoding="utf-8")
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        subs = command.list_commands(context) if isinstance(command, click.Group) else [""]
        for sub in subs:
            assert f"aims-gate {name} {sub}".strip() in pages


def test_the_docs_name_every_check() -> None:
    """Our own checks stand in the page that is read first, the libraries' in that of policies."""
    using, policy = text_of("docs/using.md"), text_of("docs/policy.md")
    for name in CHECKS:
        assert f"`{name}`" in (policy if ":" in name else using)


def test_the_page_of_checks_has_every_check_as_it_is_today() -> None:
    """`tools/checks_page.py` writes the page: statistic, limit and controls come from the code."""
    script = runpy.run_path(str(ROOT / "tools" / "checks_page.py"))
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert script["rewritten"](page) == page, "write it anew: python tools/checks_page.py"
    assert page.count("\n| `") == len(CHECKS)


def test_the_page_of_tables_says_of_every_check_of_data_how_it_is_served() -> None:
    """`tools/tables_page.py` writes the table: it follows from what checks say that they ask."""
    script = runpy.run_path(str(ROOT / "tools" / "tables_page.py"))
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert script["rewritten"](page) == page, "write it anew: python tools/tables_page.py"
    of_data = {name for name in CHECKS if CHECKS[name].about.roles and ":" not in name}
    assert of_data <= set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))


def test_the_policy_of_the_page_of_checks_is_sound(reader: Path) -> None:
    """Its rules are complete, and its commands run."""
    ran = 0
    for block in blocks("docs/checks.md"):
        if block.title:
            (reader / block.title).write_text(block.text, encoding="utf-8")
        for arguments, code in commands(block):
            assert guarded(arguments) == code, arguments
            ran += 1
    assert ran >= 3


def test_the_lines_that_are_read_aloud_are_those_that_are_printed() -> None:
    """docs/deciding.md explains two lines of a report; counts give the same ones today."""
    import pandas as pd

    page = " ".join((ROOT / "docs" / "deciding.md").read_text(encoding="utf-8").split())
    examples: list[tuple[str, dict[str, Any], tuple[int, int], tuple[int, int]]] = [
        ("fairness.impact_ratio", {"at_least": 0.8}, (63, 300), (224, 700)),
        ("fairness.parity", {"at_most": 0.1}, (12, 40), (40, 100)),
    ]
    for check, limit, women, men in examples:
        rows = [("F", int(i < women[0])) for i in range(women[1])]
        rows += [("M", int(i < men[0])) for i in range(men[1])]
        frame = pd.DataFrame(rows, columns=["sex", "yhat"])
        with pytest.raises(AssertionError) as refused:
            aims_gate.assert_passes(
                check, frame, prediction="yhat", positive=1, by=["sex"], **limit
            )
        _, _, line = str(refused.value).partition(": ")
        assert line in page


def test_the_docs_say_which_checks_have_no_second_opinion() -> None:
    """Where no library is asked, `engine: both` changes nothing, and a reader has to know."""
    page = (ROOT / "docs" / "deciding.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"no second opinion(.*?)\n\n", page, re.DOTALL)
    named = set(re.findall(r"`(\w+\.\w+)`", told))
    silent = {name for name, check in CHECKS.items() if not check.about.asks}
    families = ("data.", "integrity.", "records.", "risks.", "log.", "aims.")
    assert named == {name for name in silent if not name.startswith(families)}
    assert not [name for name in CHECKS if name.startswith(families) and name not in silent]


def test_nothing_promises_what_no_gate_can() -> None:
    """No page and no message says that a model or an organisation is certified or compliant."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("aims_gate/**/*.py")]
    for page in [*pages, *ROOT.glob("policies/*.yaml")]:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\b(certified|legally compliant)\b", text, re.IGNORECASE), page.name
