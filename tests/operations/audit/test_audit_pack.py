"""The pack holds what auditors ask for and nothing private, and is checked by openssl and jq."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from aims_gate.__main__ import guarded
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.catalogue.iso42001 import REQUIREMENTS
from aims_gate.errors import UsageError
from aims_gate.operations.aims.approve import approve
from tests.operations.aims.test_gap import Company
from tests.operations.audit.conftest import pack
from tests.support.html_page import Parsed
from tests.support.proofs import new_signer
from tests.support.records import edit

TOOLS = [pytest.mark.tool(name) for name in ("bash", "openssl", "jq")]


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(folder / "annex" / "check.sh"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def resign(folder: Path) -> None:
    """List all digests anew, as whoever changed a file can."""
    lines = [
        f"{hashlib.sha256((folder / line[66:]).read_bytes()).hexdigest()}  {line[66:]}\n"
        for line in (folder / "manifest.sha256").read_text("utf-8").splitlines()
    ]
    (folder / "manifest.sha256").write_text("".join(lines), encoding="utf-8")


def words(folder: Path, page: str = "index.html") -> str:
    return Parsed((folder / page).read_text("utf-8")).words


@pytest.fixture
def made(audited: Company, tmp_path: Path) -> Path:
    return pack(audited, tmp_path / "pack")


class TestCheck:
    pytestmark = TOOLS

    def test_the_pack_passes_and_no_changed_byte_does(self, made: Path, tmp_path: Path) -> None:
        """One byte of each kind of file."""
        done = check(made)
        assert done.returncode == 0, done.stderr
        assert "signatures hold" in done.stdout
        kinds = ["index.html", "files.csv", "controls/A.5.4.html", "records/credit/risks.yaml"]
        kinds += [
            str(next(made.rglob(name)).relative_to(made))
            for name in ("vsa.dsse.json", "vsa.statement.json", "01-*.pem", "REC-*.dsse.json")
        ]
        for name in kinds:
            copy = tmp_path / "copy"
            shutil.copytree(made, copy)
            data = bytearray((copy / name).read_bytes())
            data[len(data) // 2] ^= 1
            (copy / name).write_bytes(data)
            assert check(copy).returncode != 0, name
            shutil.rmtree(copy)

    def test_a_forgery_with_a_new_manifest_is_refused(self, made: Path) -> None:
        """Whoever changes a statement can compute its digest anew, and not its signature."""
        digest = hashlib.sha256((made / "manifest.sha256").read_bytes()).hexdigest()
        assert check(made, digest).returncode == 0
        statement = next(made.rglob("vsa.statement.json"))
        statement.write_bytes(statement.read_bytes().replace(b"PASSED", b"FAILED"))
        resign(made)
        assert check(made).returncode != 0
        (made / "records/credit/risks.yaml").write_text("risks: []\n", encoding="utf-8")
        statement.write_bytes(statement.read_bytes().replace(b"FAILED", b"PASSED"))
        resign(made)
        assert check(made).returncode == 0  # of a record only the digest tells
        assert check(made, digest).returncode != 0

    def test_a_file_more_or_a_link_is_refused(self, made: Path) -> None:
        more = made / "records" / "more.md"
        more.write_text("x", encoding="utf-8")
        assert check(made).returncode != 0
        more.unlink()
        more.symlink_to("/etc/hostname")
        assert check(made).returncode != 0

    @pytest.mark.parametrize("ending", ["statement", "sigstore"])
    def test_what_nobody_signed_is_refused(self, made: Path, ending: str) -> None:
        evidence = next(made.rglob("vsa.dsse.json")).parent
        stray = evidence / f"approval-by-board.{ending}.json"
        stray.write_text('{"approved": "by everybody"}', encoding="utf-8")
        line = f"{hashlib.sha256(stray.read_bytes()).hexdigest()}  {stray.relative_to(made)}\n"
        with (made / "manifest.sha256").open("a", encoding="utf-8") as manifest:
            manifest.write(line)
        done = check(made)
        assert (done.returncode, "nobody signed" in done.stderr) == (1, True)


def test_files_by_control_are_listed_with_their_digests(made: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((made / "files.csv").read_text("utf-8"))))
    assert {one["control"] for one in rows} == {one.id for one in REQUIREMENTS}
    for one in rows:
        data = (made / one["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one["sha256"]
    of_bias = {one["file"] for one in rows if one["control"] == "A.5.4"}
    assert "records/credit/impact.md" in of_bias
    assert sum(one.endswith("vsa.dsse.json") for one in of_bias) == 2
    page = words(made, "controls/A.5.4.html")
    assert "policy not met at production: BIAS-02 FAIL" in page
    assert "impact.md" in page


def test_no_data_no_key_and_no_identifier_is_in_it(audited: Company, tmp_path: Path) -> None:
    evidence = next(audited.gated.folder.rglob("vsa.dsse.json")).parent
    (evidence / "rows.parquet").write_bytes(b"PAR1")
    (evidence / "gate.key").write_text("secret", encoding="utf-8")
    edit(
        audited.aims / "log" / "2026-10-21-income.md",
        "Income is nominal.",
        "DE89 3704 0044 0532 0130 00 rang.",
    )
    edit(audited.aims / "impact.md", "Applicants and those", "4111 1111 1111 1111 and those")
    folder = pack(audited, tmp_path / "pack")
    paths = {str(one.relative_to(folder)) for one in folder.rglob("*")}
    assert not [
        one for one in paths if one.endswith((".parquet", ".key", "impact.md", "income.md"))
    ]
    every = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    for secret in (b"0532 0130", b"4111 1111", b"PAR1"):
        assert secret not in every
    told = words(folder)
    assert "it holds a iban" in told
    assert "it holds a card" in told


def test_a_concern_is_counted_and_its_text_left_out(audited: Company, tmp_path: Path) -> None:
    name = "2026-11-10-complaint.md"
    front = "---\nkind: entry\ntype: concern\nid: credit/c\nowner: ada@acme.example\n"
    text = "opened: 2026-11-10\ndue: 2026-12-10\n---\n## What was said\nMs Gray was refused.\n"
    (audited.aims / "log" / name).write_text(front + text, encoding="utf-8")
    folder = pack(audited, tmp_path / "pack")
    assert "left out: it may name who raised it" in words(folder)
    every = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    assert b"Ms Gray" not in every


def test_what_does_not_verify_is_said_and_not_taken(audited: Company, tmp_path: Path) -> None:
    gated = audited.gated
    genuine, gated.lab.signer = gated.lab.signer, new_signer()
    promotions = gated.promote(
        next(gated.folder.rglob("vsa.dsse.json")).parent, audited.survey().now
    )
    gated.lab.signer = genuine
    folder = pack(audited, tmp_path / "pack")
    assert len(list(promotions.glob("*.dsse.json"))) == 1
    assert len(list(folder.rglob("promotions/*"))) == 3  # of the genuine one alone
    assert "not trusted" in words(folder)


def test_statements_that_nobody_signed_are_said_and_not_taken(
    audited: Company, tmp_path: Path
) -> None:
    """Without an envelope, or beside one that says something else."""
    evidence = next(audited.gated.folder.rglob("vsa.dsse.json")).parent
    shutil.copy(evidence / "evaluation.dsse.json", evidence / "other.dsse.json")
    for name in ("board.statement.json", "more.sigstore.json", "other.statement.json"):
        (evidence / name).write_text('{"approved": "by everybody"}', encoding="utf-8")
    folder = pack(audited, tmp_path / "pack")
    taken = {one.name for one in folder.rglob("*.json")}
    assert "other.dsse.json" in taken
    assert not taken & {"board.statement.json", "more.sigstore.json", "other.statement.json"}
    told = words(folder)
    assert "board.statement.json: nobody signed it" in told
    assert "more.sigstore.json: nobody signed it" in told
    assert "other.statement.json: it is not what the envelope beside it holds" in told


def test_no_identifier_is_in_a_name_or_above_a_table(audited: Company, tmp_path: Path) -> None:
    """An excluded control's reason stands in the lead of its page."""
    iban = "DE89370400440532013000"
    audited.decide("A.10.4", applicable="false", justification=f"{iban} asked", status="excluded")
    stop = audited.aims / "runbooks" / "stop.md"
    named = stop.with_name(f"{iban}.md")
    named.write_text(
        stop.read_text("utf-8").replace("runbooks/stop", "runbooks/x"), encoding="utf-8"
    )
    folder = pack(audited, tmp_path / "pack")
    every = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    names = " ".join(str(one.relative_to(folder)) for one in folder.rglob("*"))
    assert iban not in names + every.decode("utf-8", "replace")
    assert "it holds a iban" in words(folder, "controls/A.10.4.html")


def test_names_of_strangers_do_nothing(audited: Company, tmp_path: Path) -> None:
    edit(audited.aims / "system.yaml", "id: credit\n", "id: ../../<script>alert(1)</script>\n")
    edit(audited.aims / "risks.yaml", "title: Income shifts", "title: <script>alert(2)</script>")
    folder = pack(audited, tmp_path / "deep" / "pack")
    assert [one.name for one in folder.parent.iterdir()] == ["pack"]
    for page in folder.rglob("*.html"):
        assert "<script" not in page.read_text("utf-8")


def test_of_an_empty_organisation_it_says_that_nothing_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(["aims", "audit-pack", "--for", "stage1", "--out", "pack"]) == 0
    told = words(tmp_path / "pack")
    assert "63 of 63 requirements open" in told
    assert "nobody's approval counts" in told
    assert "nothing was judged in this period, which is a finding itself" in told
    assert "sha256 of its manifest: " in capsys.readouterr().out


def test_equal_packs_are_equal_archives_and_nothing_is_overwritten(
    audited: Company, tmp_path: Path
) -> None:
    first, second = pack(audited, tmp_path / "a.zip"), pack(audited, tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert "index.html" in archive.namelist()
    with pytest.raises(UsageError, match="already"):
        pack(audited, first)


def test_stage_1_brings_the_newest_evidence_and_says_what_comes_first(
    audited: Company, tmp_path: Path
) -> None:
    folder = pack(audited, tmp_path / "pack", "stage1")
    assert len(list((folder / "evidence").iterdir())) == 1
    assert "Documents before operation" in words(folder)


@pytest.mark.tool("bash")
@pytest.mark.tool("openssl")
@pytest.mark.tool("jq")
def test_ed25519_keys_are_checked_too(audited: Company, tmp_path: Path) -> None:
    """The gate's key is P-256; Bo's is of the other kind."""
    signer = LocalSigner.of(ed25519.Ed25519PrivateKey.generate())
    (audited.gated.lab.folder / "bo.key.pub").write_text(signer.key.pem, encoding="utf-8")
    approve(
        audited.aims / "impact.md",
        signer=signer,
        trust=audited.gated.trust,
        evidence=None,
        now=audited.survey().now,
    )
    folder = pack(audited, tmp_path / "pack")
    (signed,) = (folder / "records").rglob("REC-*.dsse.json")  # the other is no key's any more
    done = check(folder)
    assert done.returncode == 0, done.stderr
    text = signed.read_text("utf-8")
    at = text.index('"sig":"') + len('"sig":"')
    signed.write_text(text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :], "utf-8")
    resign(folder)
    assert f"no key of annex/keys signed ./{signed.relative_to(folder)}" in check(folder).stderr
