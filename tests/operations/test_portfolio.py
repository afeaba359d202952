"""The models of a real MLflow store on one page: nothing is left out, or good without proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from aims_gate import canonical
from aims_gate.cli import cli
from aims_gate.errors import GateError, SourceError
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.record import record
from aims_gate.operations.aims.gate_history import GateHistoryQuestion, read_history
from aims_gate.operations.portfolio import PortfolioQuestion, read_portfolio
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.operations.verify import Expectation, prove
from aims_gate.pages.portfolio_page import Portfolio, PortfolioVersion, render_html, render_text
from aims_gate.reports import REPORTS
from aims_gate.sinks import directory
from aims_gate.sinks.mlflow import publish
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Workspace
from aims_gate.verdict import Decision, EvidenceIdentity, Verdict
from tests.operations.test_verify import write_trust
from tests.reports.cases import BIAS, ROC, verdict_of
from tests.support.proofs import NOW, POLICY, VERIFIER, Lab
from tests.support.registry_content import Content
from tests.support.servers import copy_store

TAG = "aims_gate.production.evidence"


@dataclass(kw_only=True)
class Shop:
    """A registry with judged models, and the keys that judged them."""

    content: Content
    lab: Lab
    folder: Path
    count: int = 0

    @property
    def environ(self) -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": self.content.uri}

    def version(self, name: str) -> str:
        """A new version of a model, which nobody judged."""
        run = self.content.run()
        model = self.content.model(run, {"MLmodel": b"flavors: {}\n", "n": str(run).encode()})
        return self.content.version(name, f"models:/{model}", run)

    def judge(
        self,
        name: str,
        version: str,
        *,
        passed: bool = True,
        auc: float = 0.84,
        later: timedelta = timedelta(0),
    ) -> Path:
        """Publish signed evidence of a version, as the gate does."""
        self.count += 1
        private = self.folder / f"w{self.count}"
        private.mkdir()
        workspace = Workspace(folder=private, environ=self.environ)
        fetched = SOURCE.fetch(f"models:/{name}/{version}", workspace=workspace)
        (cell,) = ROC.statistics
        roc = replace(ROC, statistics=(replace(cell, value=auc),))
        base = verdict_of(
            *([roc] if passed else [roc, BIAS]),
            decision=Decision.PASSED if passed else Decision.REFUSED,
        )
        identity = EvidenceIdentity(
            id=f"20261123T09300{self.count}Z-0a1b2c3d",
            directory="",
            signed=True,
            key=self.lab.signer.key.fingerprint,
        )
        policy = replace(base.policy, digest=canonical.sha256(POLICY), source_digest="ac" * 32)
        verdict = replace(base, model=fetched.model, policy=policy, evidence=identity)
        verdict = replace(verdict, finished=verdict.finished + later)
        files = record(
            verdict,
            fetched.manifest,
            POLICY,
            REPORTS["json"](verdict).encode(),
            signer=self.lab.signer,
            verifier_id=VERIFIER,
        )
        kept = self.folder / f"kept{self.count}"
        directory.write(kept, files)
        publish(verdict, kept, self.environ)
        return kept

    def tags(self, name: str, version: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self.content.client.get_model_version(name, version).tags
        return found

    def read(self, *, trusted: bool = True, models: str = "*") -> Portfolio:
        trust = self.lab.folder / "trust.yaml" if trusted else None
        asked = PortfolioQuestion(models=models, trust=trust, environ=self.environ)
        return read_portfolio(asked, now=NOW + timedelta(days=2))


@pytest.fixture(scope="module")
def shop(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Model credit: 1 passed, 2 is unjudged, 3 was refused, 4 has the evidence of 1; and fraud."""
    folder = tmp_path_factory.mktemp("shop")
    copy_store(empty_store, folder / "mlflow.db", str(folder / "artifacts"))
    lab = Lab.make(folder / "lab")
    write_trust(lab)
    shop = Shop(content=Content(uri=f"sqlite:///{folder / 'mlflow.db'}"), lab=lab, folder=folder)
    shop.content.client.create_experiment("aims-gate", str(folder / "evidence"))
    for _ in range(4):
        shop.version("credit")
    shop.judge("credit", "1", auc=0.81)
    shop.judge("credit", "3", passed=False, auc=0.84)
    client = shop.content.client
    client.set_model_version_tag("credit", "4", TAG, shop.tags("credit", "1")[TAG])
    for alias, version in {"champion": "3", "former": "1", "shadow": "4", "next": "2"}.items():
        client.set_registered_model_alias("credit", alias, version)
    client.create_registered_model("fraud")
    return shop


def _by_version(found: Portfolio, name: str = "credit") -> dict[str, PortfolioVersion]:
    (model,) = (one for one in found.models if one.name == name)
    return {one.version: one for one in model.versions}


def test_what_each_alias_names_is_verified_and_nothing_is_left_out(shop: Shop) -> None:
    found = shop.read()
    told = {number: one.standing for number, one in _by_version(found).items()}
    assert told["1"][::2] == ("good", "policy met")
    assert told["3"][::2] == ("bad", "policy not met")
    assert told["2"][0] == "bad"  # an alias names it, and nobody judged it
    assert "there is no evidence" in told["2"][2]
    # somebody put the pointer of a pass on another version
    assert told["4"][::2][0] == "bad"
    assert told["4"][2] == "does not hold today; it said policy met"
    text = render_text(found)
    for row in ("@champion", "@former", "@shadow", "@next", "fraud"):
        assert text.count(row) == 1
    page = render_html(found)
    assert page.count("policy met") == 4  # version 1 and the doubt about 4, in both tables
    assert "no alias names a version" in page
    assert "PERF-01 roc auc" in page
    (model, empty) = found.models
    assert [number.limit for number in model.numbers] == ["at least 0.8", "at least 0.8"]
    assert [_by_version(found)[n].numbers.get("PERF-01.roc_auc") for n in "1234"] == [
        0.81, None, 0.84, None,
    ]  # fmt: skip
    assert empty.versions == ()


def test_without_a_trust_file_nothing_is_good(shop: Shop) -> None:
    found = shop.read(trusted=False)
    assert "good" not in {one.standing[0] for one in _by_version(found).values()}
    assert "anybody could have written these" in render_text(found)
    assert "anybody could have written these" in render_html(found)
    assert 'class="good"' not in render_html(found)


def test_evidence_that_was_changed_is_a_row_that_says_so(shop: Shop) -> None:
    run, _, path = shop.tags("credit", "1")[TAG].partition("runs:/")[2].partition("/")
    root = Path(shop.content.client.get_run(run).info.artifact_uri.removeprefix("file://"))
    report = root / path / "report.json"
    data = report.read_bytes()
    report.write_bytes(data.replace(b"passed", b"passex", 1))
    found = [_by_version(shop.read(trusted=trusted))["1"] for trusted in (True, False)]
    report.write_bytes(data)
    for one in found:
        assert one.verdict is None
        assert "the evidence does not hold: is not the report" in one.problem
        assert not one.numbers


def test_a_version_that_an_alias_names_is_shown_however_old(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aims_gate.operations.portfolio.LAST", 1)
    (model, _) = shop.read().models
    assert [one.version for one in model.versions] == ["4", "3", "1", "2"]
    assert model.older
    assert "Older versions are not shown" in render_html(shop.read())


def test_a_version_that_cannot_be_read_makes_exit_3(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is written with what there is, and says that something is not known."""

    def cut(asked: EvidenceQuestion, *, now: datetime) -> Verdict:
        if asked.evidence.endswith("/3"):
            raise SourceError("the line was cut")
        return read_past(asked, now=now)

    monkeypatch.setattr("aims_gate.operations.portfolio.read_past", cut)
    code, told = _run("--portfolio", "--tracking-uri", shop.content.uri)
    assert code == 3
    assert "could not be read: the line was cut" in told
    assert "1 versions could not be read" in told
    assert "nothing is known of them" in render_html(shop.read())


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["evidence", "report", *words], standalone_mode=False)
    if isinstance(done.exception, GateError):
        return done.exception.exit_code, str(done.exception)
    assert done.exception is None, done.exception
    return int(done.return_value), done.output


def test_the_command_writes_both_forms_and_refuses_the_rest(shop: Shop, tmp_path: Path) -> None:
    usual = ["--portfolio", "--tracking-uri", shop.content.uri]
    trusted = [*usual, "--trust", str(shop.lab.folder / "trust.yaml"), "--models", "cr*"]
    code, told = _run(*trusted)
    assert (code, "fraud" in told, "@champion" in told) == (0, False, True)
    out = tmp_path / "page.html"
    assert _run(*trusted, "--format", "html", "--out", str(out))[0] == 0
    assert "<h1>Models of mlflow-local</h1>" in out.read_text(encoding="utf-8")
    wrong = {
        "no registered model matches 'x*'": [*usual, "--models", "x*"],
        "a portfolio is text or html": [*usual, "--format", "sarif"],
        "were both asked for": [*usual, "evidence"],
        "there is no evidence to report": ["--models", "x*"],
    }
    for match, words in wrong.items():
        code, told = _run(*words)
        assert (code, match in told) == (2, True), told


def test_a_server_that_is_down_is_exit_3() -> None:
    environ = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    with pytest.raises(SourceError) as caught:
        read_portfolio(PortfolioQuestion(environ=environ), now=NOW)
    assert caught.value.exit_code == 3


def test_a_name_that_no_uri_can_hold_is_a_row(shop: Shop) -> None:
    """MLflow takes it, and it must not hide behind that."""
    name = "it's <script>alert(1)"
    shop.content.client.create_registered_model(name)
    try:
        found = shop.read()
    finally:
        shop.content.client.delete_registered_model(name)
    assert "<script" not in render_html(found)
    assert "is no name of a model" in render_html(found)


def test_one_verdict_is_read_from_a_run_and_by_its_alias(shop: Shop) -> None:
    trust = shop.lab.folder / "trust.yaml"
    place = shop.tags("credit", "1")[TAG].partition(" ")[2]
    for where in (place, "models:/credit/1", "models:/credit@former"):
        asked = EvidenceQuestion(evidence=where, trust=trust, environ=shop.environ)
        verdict = read_past(asked, now=NOW)
        assert verdict.passed
        assert verdict.evidence is not None
        assert (verdict.evidence.published, verdict.evidence.directory) == (place, "")


def test_a_tag_that_moves_while_it_is_read_decides_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is verified must be what is shown, although MLflow is asked for it twice."""
    first = shop.tags("credit", "1")[TAG]
    shop.judge("credit", "1", auc=0.9)
    second = shop.tags("credit", "1")[TAG]
    client = shop.content.client
    client.set_model_version_tag("credit", "1", TAG, first)

    def moved(question: Expectation, *, now: datetime) -> Verified:
        client.set_model_version_tag("credit", "1", TAG, second)
        return prove(question, now=now)

    monkeypatch.setattr("aims_gate.operations.report_evidence.prove", moved)
    asked = EvidenceQuestion(
        evidence="models:/credit/1", trust=shop.lab.folder / "trust.yaml", environ=shop.environ
    )
    with pytest.raises(SourceError, match="name other evidence now"):
        read_past(asked, now=NOW)
    client.set_model_version_tag("credit", "1", TAG, first)


def test_the_gate_history_reads_what_serves_and_published_evidence_off_mlflow(shop: Shop) -> None:
    """Whatever promotions say: an alias that somebody moved by hand is where it is."""
    trust = shop.lab.folder / "trust.yaml"
    asked = GateHistoryQuestion(trust=trust, mlflow=True, environ=shop.environ)
    found = read_history(asked, now=NOW + timedelta(days=2))
    assert {one.model.version for one in found.verdicts} == {"1", "3"}
    assert found.live("credit") == "3"
    assert not found.live("fraud")
    assert found.models() == {"credit"}
    away = GateHistoryQuestion(mlflow=True, environ={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})
    with pytest.raises(SourceError):
        read_history(away, now=NOW)
