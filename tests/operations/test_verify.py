"""The model is hashed where it lies, and what cannot be proved is refused with its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.errors import TrustError, UsageError
from aims_gate.operations.verify import Expectation, prove
from tests.support.proofs import NOW, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab.make(tmp_path)
    write_trust(lab)
    return lab


def write_trust(lab: Lab) -> None:
    """Put a trust file and its key beside the evidence."""
    (lab.folder / "gate.key.pub").write_text(lab.signer.key.pem, encoding="utf-8")
    entry = {"person": "gate@acme.example", "public_key": "gate.key.pub", "roles": ["gate"]}
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry]}
    (lab.folder / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")


def _ask(lab: Lab, **changes: Any) -> Expectation:
    usual = {
        "evidence": lab.evidence,
        "trust": lab.folder / "trust.yaml",
        "model": str(lab.model),
    }
    return Expectation(**{**usual, **changes})


def test_a_folder_is_verified_in_every_spelling(lab: Lab) -> None:
    """As a path and as a file: URI with and without slashes."""
    for model in (str(lab.model), f"file:{lab.model}", f"file://{lab.model}"):
        assert prove(_ask(lab, model=model), now=NOW).passed


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"model": None}, "name the model"),
        ({"model": ""}, "name the model"),
        ({"model": "", "signature_only": True}, "name the model"),
        ({"signature_only": True}, "both asked for"),
    ],
)
def test_a_model_must_be_named(lab: Lab, changes: dict[str, Any], match: str) -> None:
    """A signature must not bless bytes that nobody looked at, nor an unset variable either."""
    with pytest.raises(UsageError, match=match) as caught:
        prove(_ask(lab, **changes), now=NOW)
    assert caught.value.exit_code == 2


def test_an_empty_stage_is_refused(lab: Lab) -> None:
    """As an empty model is: it is what an unset variable leaves, and names no stage."""
    with pytest.raises(UsageError, match="the stage is empty") as caught:
        prove(_ask(lab, stage=""), now=NOW)
    assert caught.value.exit_code == 2


def test_an_empty_place_is_refused(lab: Lab) -> None:
    """It does not mean that the place does not matter."""
    with pytest.raises(TrustError, match="not the package URL"):
        prove(_ask(lab, resource_uri=""), now=NOW)


def test_signature_only_says_that_no_bytes_were_seen(lab: Lab) -> None:
    """And still holds the statements against each other."""
    assert not prove(_ask(lab, model=None, signature_only=True), now=NOW).bytes_verified
    (lab.evidence / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TrustError, match="not the report"):
        prove(_ask(lab, model=None, signature_only=True), now=NOW)


def test_a_missing_trust_file_comes_before_everything(lab: Lab) -> None:
    """Exit code 2, whatever the evidence is like."""
    with pytest.raises(UsageError, match="trust file"):
        prove(_ask(lab, trust=lab.folder / "none.yaml", evidence=lab.folder / "none"), now=NOW)


@pytest.mark.parametrize("model", ["nowhere", "file:nowhere", "models:"])
def test_a_model_folder_that_is_not_there_is_a_usage_error(lab: Lab, model: str) -> None:
    """Exit code 2 with the forms that are read."""
    with pytest.raises(UsageError, match="no such model folder"):
        prove(_ask(lab, model=model), now=NOW)


def test_verifying_a_folder_imports_nothing_heavy(lab: Lab) -> None:
    """No NumPy, pyarrow, requests, SciPy, pandas, MLflow or securesystemslib, and little time."""
    heavy = ("numpy", "pyarrow", "requests", "scipy", "pandas", "mlflow", "sklearn")
    code = (
        "import sys, time, pathlib, datetime\n"
        "from aims_gate.operations.verify import Expectation, prove\n"
        "import aims_gate.cli.verify\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "q = Expectation(evidence=folder / 'evidence', trust=folder / 'trust.yaml',"
        " model=str(folder / 'model'))\n"
        "now = datetime.datetime.fromisoformat(sys.argv[2])\n"
        "assert prove(q, now=now).passed\n"
        f"loaded = [name for name in {(*heavy, 'securesystemslib')!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
        "print(time.process_time())\n"
    )
    command = [sys.executable, "-c", code, str(lab.folder), NOW.isoformat()]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    # ten times what it takes alone, so that a busy machine does not turn it red
    assert float(done.stdout) < 5
