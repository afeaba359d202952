"""The manifest commits to every name and byte, and refuses what two systems could read apart."""

from __future__ import annotations

import hashlib
import os
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import manifest
from aims_gate.attest.file_names import safe_name
from aims_gate.attest.manifest import FileChange, FileDifference, Manifest, ManifestEntry
from aims_gate.errors import GateError, SourceError
from tests.support.laws import law
from tests.support.proofs import make_model

EMPTY = hashlib.sha256(b"").hexdigest()


def _files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def _of(**files: str) -> Manifest:
    return Manifest(
        entries=tuple(ManifestEntry(path=p, sha256=d) for p, d in sorted(files.items()))
    )


def test_text_is_what_coreutils_print(tmp_path: Path) -> None:
    """Find, sort in the C locale and sha256sum give the same bytes, spaces and umlauts included."""
    _files(tmp_path, "b", "C", "a/z", "a-z", "a b/c d.txt", "ä", "a.z", "Z/0", "\U0001f600", "￮")
    script = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -d '\\n' sha256sum"
    printed = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    assert manifest.scan(tmp_path).text == printed


def test_coreutils_check_a_model_against_the_manifest(tmp_path: Path) -> None:
    """`sha256sum -c` accepts the model, and refuses it after one byte changed."""
    model = make_model(tmp_path / "model")
    (tmp_path / "model.sha256").write_bytes(manifest.scan(model).text)
    check = ["sha256sum", "--check", "--strict", "--quiet", "../model.sha256"]
    assert subprocess.run(check, cwd=model, check=False).returncode == 0
    (model / "MLmodel").write_text("flavors: []\n", encoding="utf-8")
    changed = subprocess.run(check, cwd=model, check=False, capture_output=True)
    assert changed.returncode == 1


def test_digest_files_and_bytes(tmp_path: Path) -> None:
    """Digest is the SHA-256 of the text; files and bytes are counted."""
    model = manifest.scan(make_model(tmp_path / "m"))
    assert model.digest == hashlib.sha256(model.text).hexdigest()
    assert (model.files, model.bytes) == (3, 12 + 256 * 9 + 7)


def test_parse_is_the_inverse_of_text(tmp_path: Path) -> None:
    """What is read back is equal, and has the same bytes and digest."""
    model = manifest.scan(make_model(tmp_path / "m"))
    again = manifest.parse(model.text)
    assert again == model
    assert (again.text, again.digest, again.bytes) == (model.text, model.digest, 0)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        f"{EMPTY}  a".encode(),
        f"{EMPTY} *a\n".encode(),
        f"{EMPTY.upper()}  a\n".encode(),
        f"{EMPTY}  b\n{EMPTY}  a\n".encode(),
        f"{EMPTY}  a\n{EMPTY}  a\n".encode(),
        f"{EMPTY}  a\n\n{EMPTY}  b\n".encode(),
        f"\\{EMPTY}  a\\nb\n".encode(),
        f"{EMPTY}  ../a\n".encode(),
        f"{EMPTY}  a\r\n".encode(),
        f"{EMPTY}  ".encode() + b"\xff\n",
        f"{EMPTY}  A\n{EMPTY}  a\n".encode(),
    ],
)
def test_parse_refuses_every_other_spelling(text: bytes) -> None:
    """One manifest has one text: no reordering, repetition, escape, line ending or unsafe name."""
    with pytest.raises(SourceError):
        manifest.parse(text)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../b",
        "a/./b",
        "a//b",
        "a/",
        "/etc/passwd",
        "..\\x",
        "a\\b",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\udcffb",
        "%2e%2e/x",
        "a%2Fb",
        "a%5cb",
        "a%252fb",
        "a%00b",
        "a%0Ab",
        "C:/x",
        "c:x",
        "-",
        "--help",
        "x" * 256,
        "/".join(["x" * 200] * 6),
    ],
)
def test_unsafe_names_are_refused(name: str) -> None:
    """Nothing leaves its folder, hides, breaks a line or is an option, on any system."""
    with pytest.raises(SourceError, match="unsafe file name"):
        safe_name(name)


@pytest.mark.parametrize("name", ["a", "a/b c.txt", "ä/é", "..a", "a..", "100%", "a%20b", ".x/-y"])
def test_usual_names_are_accepted(name: str) -> None:
    """Spaces, dots, percent signs and letters of any language are usual."""
    assert str(safe_name(name)) == name


@law(200)
@given(st.text(max_size=40))
def test_any_name_is_safe_or_refused(name: str) -> None:
    """Every text is refused with a GateError, or stays below its folder with equal text."""
    try:
        path = safe_name(name)
    except GateError:
        return
    assert str(path) == name
    assert not path.is_absolute()
    assert ".." not in path.parts


@law(200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.text(max_size=8), max_size=4).map(
            lambda names: "".join(f"{EMPTY}  {name}\n" for name in names).encode(
                "utf-8", "surrogatepass"
            )
        ),
    )
)
def test_any_bytes_are_a_manifest_with_that_text_or_refused(text: bytes) -> None:
    """Reading never crashes, and what is accepted writes itself as it was read."""
    try:
        read = manifest.parse(text)
    except GateError:
        return
    assert read.text == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Model.pkl", "model.pkl"),
        ("stra\N{LATIN SMALL LETTER SHARP S}e", "STRASSE"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("A/x", "a/y"),
    ],
)
def test_names_that_are_one_name_elsewhere_are_refused(
    tmp_path: Path, one: str, other: str
) -> None:
    """Case and Unicode forms do not count on some file systems, in folders' names either."""
    with pytest.raises(SourceError, match="one name on some file systems"):
        manifest.scan(_files(tmp_path, one, other))


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Such a name has no text that others would read the same."""
    (tmp_path / os.fsdecode(b"\xff.bin")).write_bytes(b"")
    with pytest.raises(SourceError, match="not encodable"):
        manifest.scan(tmp_path)


@pytest.mark.parametrize("target", ["MLmodel", "/etc/hostname", ".", "nowhere"])
def test_symbolic_links_are_refused(tmp_path: Path, target: str) -> None:
    """A link to a file, a folder, outside or nowhere could lead elsewhere tomorrow."""
    model = make_model(tmp_path / "m")
    (model / "link").symlink_to(target)
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        manifest.scan(model)


def test_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    """Opening a pipe for reading would block for ever."""
    os.mkfifo(_files(tmp_path, "a") / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        manifest.scan(tmp_path)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    """Otherwise nothing at all would have a digest; empty folders inside do not help."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no files"):
        manifest.scan(tmp_path)


@pytest.mark.parametrize("path", ["nowhere", "file"])
def test_what_is_no_folder_cannot_be_read(tmp_path: Path, path: str) -> None:
    """Missing folders and files are errors with the place in them."""
    _files(tmp_path, "file")
    with pytest.raises(SourceError, match="cannot read the model"):
        manifest.scan(tmp_path / path)


def test_limits(tmp_path: Path) -> None:
    """At the limit it is read, one over it is not; folders count as files do."""
    _files(tmp_path, "a/1", "a/2", "b")
    assert manifest.scan(tmp_path, max_files=4, max_bytes=7).bytes == 7
    with pytest.raises(SourceError, match="more than 3 files"):
        manifest.scan(tmp_path, max_files=3)
    with pytest.raises(SourceError, match="more than 6 bytes"):
        manifest.scan(tmp_path, max_bytes=6)


def test_ignored_files_are_left_out_at_exactly_their_place(tmp_path: Path) -> None:
    """The same name deeper down, and a folder of that name, still count."""
    _files(tmp_path, "meta", "a/meta", "b")
    model = manifest.scan(tmp_path, ignore=("meta",))
    assert [entry.path for entry in model.entries] == ["a/meta", "b"]
    _files(tmp_path / "x", "meta/hidden")
    assert manifest.scan(tmp_path / "x", ignore=("meta",)).files == 1


@pytest.mark.parametrize("ignore", [(), ("b",)])
def test_only_a_file_that_is_left_out_may_vanish_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignore: tuple[str, ...]
) -> None:
    _files(tmp_path, "a", "b")
    listed = os.scandir

    def scandir(folder: Path) -> Any:
        with listed(folder) as entries:
            found = list(entries)
        (tmp_path / "b").unlink()
        return nullcontext(iter(found))

    monkeypatch.setattr(os, "scandir", scandir)
    if ignore:
        assert [one.path for one in manifest.scan(tmp_path, ignore=ignore).entries] == ["a"]
    else:
        with pytest.raises(SourceError, match="cannot read the model"):
            manifest.scan(tmp_path)


def test_a_file_that_is_swapped_while_it_is_hashed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was listed, the file that is read and the file afterwards are one."""
    target = _files(tmp_path, "a") / "a"
    honest = os.open

    def swap(path: Path, flags: int) -> int:
        target.unlink()
        target.write_bytes(b"other")
        return honest(path, flags)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(SourceError, match="changed while it was read"):
        manifest.scan(tmp_path)


def test_a_link_that_takes_a_files_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing and opening, the last part of the path is not followed."""
    target = _files(tmp_path / "m", "a") / "a"
    honest = os.open

    def swap(path: Path, flags: int) -> int:
        target.unlink()
        target.symlink_to("/etc/hostname")
        return honest(path, flags)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(SourceError, match="cannot read the model"):
        manifest.scan(tmp_path / "m")


def test_compare_names_missing_extra_and_changed_files() -> None:
    """Each difference once, by path; none between equal manifests."""
    other = hashlib.sha256(b"x").hexdigest()
    expected, actual = _of(a=EMPTY, b=EMPTY, c=EMPTY), _of(b=other, c=EMPTY, d=EMPTY)
    found = manifest.compare(expected, actual)
    assert found == (
        FileDifference(path="a", change=FileChange.MISSING),
        FileDifference(path="b", change=FileChange.CHANGED),
        FileDifference(path="d", change=FileChange.EXTRA),
    )
    assert str(found[1]) == "changed: b"
    assert manifest.compare(actual, actual) == ()


@pytest.mark.parametrize("digest", ["", EMPTY[:-1], EMPTY.upper(), EMPTY + "\n"])
def test_an_entry_needs_a_sha256(digest: str) -> None:
    """Anything else could not be checked by others."""
    with pytest.raises(SourceError, match="not a SHA-256"):
        _of(a=digest)
