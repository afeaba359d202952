"""Links, pipes and devices in the place of files: nothing hangs or is written elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import UsageError
from aims_gate.registry.choose import open_registry
from aims_gate.regular import write_regular

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: p, version: "1"}
rules: [{id: INTEG-01, check: integrity.model}]
"""
RUN = ["run", "policy.yaml", "--model", "file:model", "--unsigned"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that one stands in, with a secret of the machine beside it."""
    folder = tmp_path / "checkout"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights").write_text("w", encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret").write_text("untouched", encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def _untouched(checkout: Path) -> bool:
    home = checkout.parent / "home"
    names = {path.name for path in home.iterdir()}
    return names == {"secret"} and (home / "secret").read_text("utf-8") == "untouched"


@pytest.mark.parametrize("report", ["summary.md", "reports/summary.md", "dangling.md", "a/b/x.md"])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_report_goes_through_no_link_of_the_checkout(
    checkout: Path, report: str, absolute: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    home = checkout.parent / "home"
    (checkout / "summary.md").symlink_to(home / "secret")
    (checkout / "dangling.md").symlink_to(home / "new")
    (checkout / "reports").symlink_to(home)
    (checkout / "a").mkdir()
    (checkout / "a" / "b").symlink_to(home)
    path = str(checkout / report) if absolute else report
    assert guarded([*RUN, "--report", f"markdown={path}"]) == 2
    assert "is a symbolic link" in capsys.readouterr().err
    assert _untouched(checkout)


def test_a_report_leaves_the_other_name_of_a_hard_link_alone(checkout: Path) -> None:
    (checkout / "summary.md").hardlink_to(checkout.parent / "home" / "secret")
    assert guarded([*RUN, "--report", "markdown=summary.md"]) == 0
    assert (checkout / "summary.md").read_text("utf-8").startswith("#")
    assert _untouched(checkout)


def test_a_report_waits_for_no_pipe(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe.md")
    assert guarded([*RUN, "--report", "markdown=pipe.md"]) == 2
    assert "regular file" in capsys.readouterr().err
    with pytest.raises(OSError, match=r"No such device|no regular file"):
        write_regular(checkout / "pipe.md", b"x")
    reader = os.open("pipe.md", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="no regular file"):
        write_regular(checkout / "pipe.md", b"x")
    os.close(reader)


@pytest.mark.parametrize("stream", ["/dev/null", "/dev/stdout"])
def test_streams_of_the_process_and_files_elsewhere_are_written(
    checkout: Path, stream: str
) -> None:
    done = subprocess.run(
        [*("aims-gate", *RUN), "--report", f"json={stream}", "--report", "markdown=../home/new.md"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    assert ('"datasets"' in done.stdout) is (stream == "/dev/stdout")
    assert (checkout.parent / "home" / "new.md").read_text("utf-8")


@pytest.mark.parametrize("option", [[], ["--out", "out/evidence"], ["--out", "link"]])
def test_evidence_goes_through_no_link_of_the_checkout(
    checkout: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("aims-gate-evidence", "out"):
        (checkout / name).symlink_to(checkout.parent / "home")
    (checkout / "link").symlink_to(checkout.parent / "home" / "none")
    assert guarded([*RUN, *option]) == (2 if option else 3)  # a named one is seen before measuring
    assert "symbolic link" in capsys.readouterr().err or option[-1:] == ["link"]
    assert _untouched(checkout)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [_pipe, _device, _dangling, _folder])
def test_what_is_no_file_is_refused_where_one_is_read(
    checkout: Path, make: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    make(checkout / "odd.yaml")
    commands = [
        ["policy", "check", "odd.yaml"],
        ["policy", "pin", "odd.yaml"],
        ["run", "odd.yaml", "--model", "file:model", "--unsigned"],
        ["verify", "evidence", "--model", "model", "--trust", "odd.yaml"],
        ["evidence", "key", "show", "odd.yaml"],
    ]
    for command in commands:
        assert guarded(command) == 2, command
        assert "cannot read" in (told := capsys.readouterr().err) or "cannot be read" in told
    environ = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "AIMS_GATE_CONFIG": "odd.yaml"}
    with pytest.raises(UsageError, match="cannot be read"):
        open_registry(environ)


def test_a_key_that_does_not_end_is_not_read_to_its_end(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "gate.key").symlink_to("/dev/zero")
    os.mkfifo("pipe.key")
    for key in ("gate.key", "pipe.key"):
        assert guarded([*RUN[:-1], "--key", key]) == 2
        assert "cannot read the signing key: it is no regular file" in capsys.readouterr().err


def test_a_key_may_come_out_of_a_pipe_of_the_shell(checkout: Path) -> None:
    assert guarded(["evidence", "key", "generate", "--out", "gate.key"]) == 0
    read, write = os.pipe()
    os.write(write, Path("gate.key").read_bytes())
    os.close(write)
    try:
        assert guarded([*RUN[:-1], "--key", f"/dev/fd/{read}"]) == 0
    finally:
        os.close(read)
