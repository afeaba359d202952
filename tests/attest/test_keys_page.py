"""The commands of docs/keys.md, run as they stand there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from aims_gate.attest import trust_file
from tests.support.command_line import call
from tests.support.key_services import SoftHsm

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
CONSOLE = dict(zip(("hsm", "measure", "sign"), BLOCKS, strict=True))
TRUST = (
    "apiVersion: aims-gate/v1\nkind: Trust\n"
    "keys: [{person: gate@acme.example, public_key: gate.key.pub, roles: [gate]}]\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The contract case whose policy is met, which names its data itself."""
    shutil.copytree(ROOT / "tests" / "contract" / "met", tmp_path / "met")
    policy = tmp_path / "met" / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    named = text.replace("evaluation: {", "evaluation: {source: 'file:evaluation.csv', ", 1)
    policy.write_text(named, encoding="utf-8")
    (tmp_path / "met" / "trust.yaml").write_text(TRUST, encoding="utf-8")
    return tmp_path / "met"


def follow(block: str, folder: Path, environ: dict[str, str]) -> int:
    """Type the commands of a block; give how many there were."""
    typed = 0
    for line in re.findall(r"^\$ (.*)$", CONSOLE[block].replace("\\\n", " "), re.MULTILINE):
        words = shlex.split(line)
        if words[0] == "export":
            environ |= dict(word.split("=", 1) for word in words[1:])
            continue
        target = words[words.index(">") + 1] if ">" in words else ""
        words = words[1 : words.index(">")] if target else words[1:]
        done = call(folder, *words, **environ)
        assert done.code == 0, (line, done.err)
        if target:
            (folder / target).write_text(done.out, encoding="utf-8")
        typed += 1
    return typed


def test_a_key_in_a_device(folder: Path, hsm: SoftHsm) -> None:
    """SoftHSM's module is where the machine has it, and its PIN is the page's."""
    pytest.importorskip("pkcs11")
    environ = {"SOFTHSM2_CONF": hsm.environ["SOFTHSM2_CONF"]}
    if not Path("/usr/lib/softhsm/libsofthsm2.so").exists():
        CONSOLE["hsm"] = CONSOLE["hsm"].replace("/usr/lib/softhsm/libsofthsm2.so", hsm.module)
    assert follow("hsm", folder, environ) == 4


def test_measuring_in_one_job_and_signing_in_another(folder: Path) -> None:
    """The first has no key at all, and the second signs what it judged again."""
    assert follow("measure", folder, {}) == 1
    assert not list((folder / "measured").glob("*.dsse.json"))
    assert call(folder, "evidence", "key", "generate").code == 0
    assert follow("sign", folder, {}) == 2


def test_the_trust_file_of_the_page_is_read(tmp_path: Path) -> None:
    """As it stands there, beside a trusted root."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "trusted_root.json").write_text("{}", encoding="utf-8")
    trust = trust_file.parse(text.encode(), file="trust.yaml", folder=tmp_path)
    (identity,) = trust.identities
    assert identity.subject == f"https://github.com/{identity.job_workflow_ref}"
