"""docs/audits.md: its commands, in their order, over a small organisation."""

from __future__ import annotations

import re
import subprocess

import pytest

from aims_gate.__main__ import guarded
from tests.operations.aims.test_gap import Company, company
from tests.operations.audit.test_internal_audit import DORA
from tests.test_docs import blocks, commands, text_of

__all__ = ["company"]


@pytest.mark.tool("bash")
@pytest.mark.tool("openssl")
@pytest.mark.tool("jq")
def test_the_page_of_audits_runs(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(company.folder)
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
