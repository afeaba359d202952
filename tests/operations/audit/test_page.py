"""docs/audits.md: its commands, in their order, over a small organisation."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.test_gap import Company, company
from tests.operations.audit.test_internal_audit import DORA
from tests.support.registry_content import Content
from tests.support.servers import copy_store
from tests.test_docs import blocks, commands, text_of

__all__ = ["company"]


@pytest.mark.tool("bash")
@pytest.mark.tool("openssl")
@pytest.mark.tool("jq")
def test_the_page_of_audits_runs(
    company: Company, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow, which it asks, has no evaluation."""
    monkeypatch.chdir(company.folder)
    copy_store(empty_store, company.folder / "mlflow.db", str(company.folder / "artifacts"))
    uri = f"sqlite:///{company.folder / 'mlflow.db'}"
    Content(uri=uri).client.create_experiment("aims-gate")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with (company.org / "people.yaml").open("a", encoding="utf-8") as file:
        file.write(DORA)
    lines = [line for block in blocks("docs/audits.md") for line in commands(block)]
    assert [words[1] for words, _ in lines] == [
        *("sample", "audit-pack", "audit", "review", "review")
    ]
    for arguments, code in lines:
        read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
        assert guarded([*arguments, *read]) == code, arguments
    (script,) = re.findall(
        r"<!-- check -->\n```bash\n(.*?)```", text_of("docs/audits.md"), re.DOTALL
    )
    subprocess.run(["bash", "-euc", script], check=True, capture_output=True)
