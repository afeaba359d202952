"""The public page: no internal name, no rule left out, signed, and only of evidence that holds."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.attest.signers import load_signer
from aims_gate.attest.statement_files import read_statement
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import TrustError
from aims_gate.evidence.public_predicate import PUBLIC
from aims_gate.operations import publish_page
from aims_gate.operations.publish_page import Publishing
from aims_gate.operations.report_evidence import EvidenceQuestion
from tests.operations.test_portfolio import TAG, Shop
from tests.operations.test_verify import write_trust
from tests.reports.cases import BIAS, MISSING_VALUES, ROC
from tests.support.gated import Gated
from tests.support.html_page import Parsed
from tests.support.proofs import NOW as JUDGED
from tests.support.proofs import Lab
from tests.support.registry_content import Content
from tests.support.servers import copy_store
from tests.test_docs import blocks

NOW = datetime.now(UTC)
INTERNAL = ("credit", "sex", "income", "mlflow", "acme", "BIAS", "PERF", "DATA-02", "policy.yaml")
"""Names of the model, of columns, of a server, of people, of rules and of files."""


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gated:
    """Evidence of a pass and of a refusal; nobody writes to it."""
    return Gated(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="session")
def passed(gate: Gated) -> Path:
    return gate.judge("credit", "7", NOW - timedelta(days=1), ROC, MISSING_VALUES)


@pytest.fixture(scope="session")
def refused(gate: Gated) -> Path:
    return gate.judge("credit", "8", NOW - timedelta(days=1), ROC, BIAS, passed=False)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("keys") / "records.key"
    assert guarded(["evidence", "key", "generate", "--out", str(place)]) == 0
    return place


@pytest.fixture
def publish(gate: Gated, key: Path, tmp_path: Path) -> Callable[..., int]:
    """The command; into `public` of the test's folder, with a key that may sign records."""
    known = yaml.safe_load(gate.trust.read_text("utf-8"))
    shutil.copy(f"{key}.pub", gate.trust.parent)
    entry = {"person": "bo@acme.example", "public_key": f"{key.name}.pub", "roles": ["records"]}
    usual = gate.trust.with_name("published.yaml")
    usual.write_text(yaml.safe_dump({**known, "keys": [*known["keys"], entry]}), encoding="utf-8")

    def run(evidence: Path, *more: str, trust: Path | None = None) -> int:
        words = ["evidence", "report", str(evidence), "--key", str(key), *more]
        words += [] if "--public" in more else ["--public", "Consumer loans"]
        words += ["--trust", str(trust or usual), "--out", str(tmp_path / "public")]
        return guarded(words)

    return run


def trusting(key: Path, folder: Path, role: str) -> Path:
    """A trust file that knows this one key, in one role."""
    shutil.copy(f"{key}.pub", folder)
    entry = f"{{person: bo@acme.example, public_key: {key.name}.pub, roles: [{role}]}}"
    place = folder / "trust.yaml"
    place.write_text(f"apiVersion: aims-gate/v1\nkind: Trust\nkeys: [{entry}]\n", encoding="utf-8")
    return place


def parsed(folder: Path) -> Parsed:
    return Parsed((folder / "public" / "index.html").read_text(encoding="utf-8"))


def test_the_page_says_all_and_no_internal_name(
    publish: Callable[..., int], refused: Path, tmp_path: Path
) -> None:
    """Two rules, one not met; no model, rule, column, group or person is named."""
    assert publish(refused) == 0
    page = parsed(tmp_path)
    assert "Consumer loans: policy not met" in page.words
    assert page.tags.count("tr") == 1 + 2
    assert "equal treatment of groups not met impact ratio 0.712" in page.words
    assert "quality of its answers met ROC AUC 0.843" in page.words
    files = [one.read_bytes().decode() for one in (tmp_path / "public").iterdir()]
    shown = re.sub(r'"(payload|sig)":"[^"]*"', "", "".join(files))
    assert [name for name in INTERNAL if name.lower() in shown.lower()] == []


def test_each_claim_leads_to_the_digest_of_the_evidence(
    publish: Callable[..., int], passed: Path, tmp_path: Path
) -> None:
    assert publish(passed, "--evidence-url", "https://acme.test/e?a=1&b=2") == 0
    page = parsed(tmp_path)
    digest = hashlib.sha256((passed / "vsa.statement.json").read_bytes()).hexdigest()
    assert digest in page.words
    links = [value for name, value in page.attributes if name == "href"]
    assert links == ["#evidence", "#evidence", "https://acme.test/e?a=1&b=2"]
    said = json.loads((tmp_path / "public" / "public.statement.json").read_bytes())["predicate"]
    evaluation = json.loads((passed / "evaluation.statement.json").read_bytes())["predicate"]
    assert said["evidence"]["digest"]["sha256"] == digest
    for claim in said["claims"]:
        result = evaluation["results"][claim["result"] - 1]
        family = {"performance": "quality of its answers", "data": "quality of data"}
        assert claim["about"] == family[result["check"].split(".")[0]]


def test_the_statement_signs_the_very_page(
    publish: Callable[..., int], passed: Path, key: Path, tmp_path: Path
) -> None:
    """By a key for records, and for no other role."""
    assert publish(passed) == 0
    folder = tmp_path / "public"
    trust = trust_file.load(trusting(key, tmp_path, "records"))
    read = read_statement(folder, "public", PUBLIC, trust=trust, now=NOW)
    page = (folder / "index.html").read_bytes()
    assert read.statement.subject == hashlib.sha256(page).hexdigest()
    assert read.said.name == "Consumer loans"
    (one,) = trust.keys
    other = TrustedKey(key=one.key, person=one.person, roles=frozenset({KeyRole.GATE}))
    with pytest.raises(TrustError, match="may not sign"):
        read_statement(folder, "public", PUBLIC, trust=Trust(keys=(other,)), now=NOW)


@pytest.mark.tool("openssl")
@pytest.mark.tool("jq")
def test_a_customer_checks_it_with_openssl(
    publish: Callable[..., int], passed: Path, tmp_path: Path
) -> None:
    """As docs/aims-exports.md prints it; one changed byte of the page is refused."""
    (script,) = (one.text for one in blocks("docs/aims-exports.md") if one.language == "bash")
    assert publish(passed) == 0
    command = ["bash", "-euo", "pipefail", "-c", script]
    folder = tmp_path / "public"
    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0
    page = (folder / "index.html").read_bytes()
    (folder / "index.html").write_bytes(page.replace(b"0.843", b"0.943"))
    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode != 0
    (folder / "index.html").write_bytes(page)
    envelope = json.loads((folder / "public.dsse.json").read_bytes())
    envelope["payload"] = envelope["payload"][:-8] + "AAAA" + envelope["payload"][-4:]
    (folder / "public.dsse.json").write_text(json.dumps(envelope), encoding="utf-8")
    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode != 0


def test_evidence_that_does_not_hold_is_not_published(
    publish: Callable[..., int], gate: Gated, passed: Path, key: Path, tmp_path: Path
) -> None:
    """Forged, unsigned, or by a key that nobody trusts; and nothing is written."""
    forged = Path(shutil.copytree(passed, tmp_path / "forged"))
    report = forged / "report.json"
    report.write_text(report.read_text("utf-8").replace("0.", "1.", 1), encoding="utf-8")
    assert publish(forged) == 4
    unsigned = gate.judge("credit", "9", NOW - timedelta(days=1), ROC, signed=False)
    assert publish(unsigned) == 4
    assert publish(passed, trust=trusting(key, tmp_path, "gate")) == 4
    words = ["evidence", "report", str(passed), "--public", "x", "--key", str(key)]
    assert guarded([*words, "--out", str(tmp_path / "public")]) == 4
    assert not (tmp_path / "public").exists()


def test_what_is_wrong_with_the_command_is_told(
    publish: Callable[..., int], passed: Path, key: Path, tmp_path: Path
) -> None:
    assert publish(passed, "--evidence-url", "javascript:alert(1)") == 2
    assert not (tmp_path / "public").exists()
    assert publish(passed) == 0
    assert publish(passed) == 2  # a page of before stays as it was signed
    words = ["evidence", "report", str(passed), "--public", "x", "--key", str(key)]
    assert guarded(words) == 2
    (tmp_path / "file").write_text("", encoding="utf-8")
    trust = ["--trust", str(passed.parents[2] / "lab" / "published.yaml")]
    assert guarded([*words, *trust, "--out", str(tmp_path / "file" / "public")]) == 3


@pytest.mark.parametrize("roles", [[], ["approver"]])
def test_a_key_that_may_not_sign_records_writes_nothing(
    publish: Callable[..., int],
    gate: Gated,
    passed: Path,
    key: Path,
    tmp_path: Path,
    roles: list[str],
) -> None:
    """Never listed, or listed for something else."""
    known = yaml.safe_load(gate.trust.read_text("utf-8"))
    entry = {"person": "bo@acme.example", "public_key": f"{key.name}.pub", "roles": roles}
    other = gate.trust.with_name("other.yaml")
    keys = [*known["keys"], *([entry] if roles else [])]
    other.write_text(yaml.safe_dump({**known, "keys": keys}), encoding="utf-8")
    assert publish(passed, trust=other) == 4
    assert not (tmp_path / "public").exists()


def test_a_pass_that_newer_evidence_takes_back_is_not_published(
    publish: Callable[..., int], gate: Gated, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of the same bytes, signed: not another version's, and not what anybody may have written."""
    passed = gate.judge("credit", "30", NOW - timedelta(days=3), ROC)
    gate.judge("credit", "30", NOW - timedelta(days=4), ROC, BIAS, passed=False)
    gate.judge("credit", "30", NOW - timedelta(days=2), ROC, BIAS, passed=False, signed=False)
    gate.judge("credit", "31", NOW - timedelta(days=2), ROC, BIAS, passed=False)
    assert publish(passed) == 0
    shutil.rmtree(tmp_path / "public")
    refused = gate.judge("credit", "30", NOW - timedelta(days=1), ROC, BIAS, passed=False)
    capsys.readouterr()
    assert publish(passed) == 4
    assert f"newer evidence takes back: {refused}" in capsys.readouterr().err
    assert not (tmp_path / "public").exists()
    assert publish(refused) == 0


def test_of_evidence_in_mlflow_the_newer_one_is_looked_for_there(
    empty_store: Path, key: Path, tmp_path: Path
) -> None:
    """By the digest of the model, among the runs of the gate."""
    copy_store(empty_store, tmp_path / "mlflow.db", str(tmp_path / "artifacts"))
    lab = Lab.make(tmp_path / "lab")
    write_trust(lab)
    shop = Shop(
        content=Content(uri=f"sqlite:///{tmp_path / 'mlflow.db'}"), lab=lab, folder=tmp_path
    )
    trust = lab.folder / "trust.yaml"
    known = yaml.safe_load(trust.read_text("utf-8"))
    shutil.copy(f"{key}.pub", lab.folder)
    entry = {"person": "bo@acme.example", "public_key": f"{key.name}.pub", "roles": ["records"]}
    trust.write_text(yaml.safe_dump({**known, "keys": [*known["keys"], entry]}), encoding="utf-8")
    version = shop.version("credit")
    shop.judge("credit", version)
    place = shop.tags("credit", version)[TAG].partition(" ")[2]
    asked = EvidenceQuestion(evidence=place, trust=trust, environ=shop.environ)
    signer = load_signer(str(key), {})
    now = JUDGED + timedelta(days=2)
    how = Publishing(name="Loans", signer=signer, folder=tmp_path / "public")
    assert publish_page.publish(asked, how, now=now).passed
    shop.judge("credit", version, passed=False, later=timedelta(hours=1))
    other = Publishing(name="Loans", signer=signer, folder=tmp_path / "other")
    with pytest.raises(TrustError, match="newer evidence takes back: runs:/"):
        publish_page.publish(asked, other, now=now)
    assert not other.folder.exists()
