"""Sandbox process in which a model predicts: resource limits, no secrets, killed afterwards."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from aims_gate import canonical
from aims_gate.errors import DataError
from aims_gate.redact import redact
from aims_gate.sources.readers import read_bytes
from aims_gate.sources.scoring import child, confine
from aims_gate.sources.subject import Workspace

_LOG = logging.getLogger(__name__)
_ALLOWED = ("PATH", "LANG")
"""All that the process sees of the gate's environment."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")
_FRAME = re.compile(r"[A-Za-z0-9_<>]{1,80}, [A-Za-z0-9_.<>-]{1,80}:[0-9]{1,7}")
_FRAMES = 20
_MOST = 1 << 16
_TAIL = 4_000
"""Characters of what the process wrote that go into the log."""
_WORDS = (
    "the log says where and nothing more, for its words may hold rows; for them, predict the data "
    "with mlflow.pyfunc.load_model"
)
_LACKS = {
    "gate": (
        "it is loaded in the gate's own Python: install what its requirements.txt names, or write "
        "environment: model"
    ),
    "model": "it is loaded in its own environment: name in its requirements.txt what it lacks",
}
_NEEDED = "the gate speaks with a model through them; its requirements.txt must name what it lacks"
_STEPS = {
    child.PREDICT: ("failed to predict", _WORDS),
    child.SHAPE: ("gave no single column of values", "one prediction a row is read"),
    child.NEEDS: ("was not run: mlflow, pandas or pyarrow cannot be imported there", _NEEDED),
    confine.CONFINE: ("was not run, because its process could not be limited", "run on Linux"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the process may use; whatever passes a limit ends without predictions."""

    seconds: float = 900
    """On the clock, to predict."""
    build_seconds: float = 900
    """On the clock, to build an environment."""
    cpu_seconds: int = 3_600
    """Of all its threads together."""
    memory: int = 8 * 2**30
    """Bytes of data."""
    reserved: int = 0
    """Bytes of address space beyond that, for engines that reserve what they never use."""
    file: int = 2 * 2**30
    """Bytes of any one file that it writes."""


def predict(
    model: Path,
    rows: pa.Table,
    workspace: Workspace,
    limits: Limits,
    *,
    where: str,
    python: Path | None = None,
) -> bytes:
    """Predict *rows* with the model in the folder *model*, in a separate process.

    It runs in the interpreter *python*, with what is installed there and no more; if left out, in
    the gate's, with all that the gate can import.

    Returns:
        What its process left as predictions: Parquet, if it was honest.

    Raises:
        DataError: The process could not load the model, crashed, passed a limit, or left nothing.
    """
    scratch = Path(tempfile.mkdtemp(dir=workspace.folder, prefix="predict-"))
    parquet.write_table(rows, scratch / "rows.parquet")
    ours = [entry for entry in sys.path if os.path.isabs(entry)]  # noqa: PTH117  # sys.path is text
    job = {
        "model": str(model),
        "path": ours if python is None else [],
        "columns": rows.column_names,
    }
    (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
    # isolated, and writing no byte code, which would change the model's folder
    command = [str(python or sys.executable), "-I", "-B", child.__file__, str(scratch)]
    given = environment(workspace.environ, scratch / "home")
    code = limited(command, scratch, given, limits, seconds=limits.seconds, where=where)
    if code != 0:
        packages = "gate" if python is None else "model"
        raise _failure(code, _told(scratch, rows.column_names), limits, where, packages)
    return _output(scratch, limits, where)


def environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Environment variables of the process: an allow list, and nothing that leads out of *home*."""
    return {
        **{name: environ[name] for name in _ALLOWED if name in environ},
        "HOME": str(home),
        "TMPDIR": str(home),
        "MLFLOW_TRACKING_URI": f"sqlite:///{home}/none.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def limited(
    command: Sequence[str],
    scratch: Path,
    environ: Mapping[str, str],
    limits: Limits,
    *,
    seconds: float,
    where: str,
    cwd: Path | None = None,
) -> int | None:
    """Run a command under *limits*; what it writes goes to the file `log` of *scratch*.

    It runs in the folder *cwd*; if left out, in the folder `home` of *scratch*.

    Returns:
        Its exit code, or None if it took more than *seconds*. It is gone then, and its group too.

    Raises:
        DataError: A process cannot be limited on this system.
    """
    if os.name != "posix":
        raise DataError("the model's process cannot be limited here", where=where, hint="use Linux")
    (scratch / "home").mkdir(exist_ok=True)
    addresses = limits.memory + limits.reserved
    bounds = map(str, (limits.memory, addresses, limits.cpu_seconds, limits.file))
    # a file, not a pipe: what a grandchild holds open must not keep the gate waiting
    with (scratch / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", confine.__file__, *bounds, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=cwd or scratch / "home",
            env=dict(environ),
            start_new_session=True,
        )
    try:
        return process.wait(timeout=max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return None
    finally:
        # PermissionError: on some systems a group of the dead only
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failure(code: int | None, told: str, limits: Limits, where: str, packages: str) -> DataError:
    """Error that says how the process ended; of its output only *told* is used."""
    if code is None:
        return DataError(f"the model took more than {limits.seconds:g} s", where=where)
    if code == -signal.SIGXCPU:
        what = f"the model took more than {limits.cpu_seconds} s of processor time"
        return DataError(what, where=where)
    if code < 0:
        what = f"the model's process was ended by signal {-code}"
        hint = f"it may use {limits.memory / 2**30:g} GiB of memory"
        return DataError(what, where=where, hint=hint)
    known = _STEPS | {child.LOAD: ("could not be loaded", _LACKS[packages])}
    what, hint = known.get(code, (f"ended its process with {code}", _WORDS))
    return DataError(f"the model {what}{f' ({told})' if told else ''}", where=where, hint=hint)


def _told(scratch: Path, columns: Sequence[str]) -> str:
    """Error type that the process reports, with names that are known or harmless.

    Where it was raised goes into the log; free text, which could hold a row of data, nowhere.
    """
    try:
        error = canonical.parse(read_bytes(scratch / "error", where="error", max_bytes=_MOST))
        kind, module = (str(error[key]) for key in ("type", "module"))
        named = [column for column in columns if column in error["columns"]]
        stack = [one for one in error["stack"] if _FRAME.fullmatch(one)][-_FRAMES:]
    except Exception:  # noqa: BLE001  # whatever the process left there, it is only a word
        return ""
    if not _NAME.fullmatch(kind):
        return ""
    _LOG.error("the model raised %s\n%s", kind, "\n".join(f"  in {one}" for one in stack))
    told = f"{kind}: {module}" if error["module"] and _NAME.fullmatch(module) else kind
    return f"{told} about {', '.join(map(repr, named))}" if named else told


def _output(scratch: Path, limits: Limits, where: str) -> bytes:
    path = scratch / "predictions.parquet"
    if not path.is_file():
        raise DataError("the model's process left no predictions", where=where)
    return read_bytes(path, where=where, max_bytes=limits.file)


def tell(scratch: Path) -> None:
    """Log the end of what the process wrote, so that no terminal or build log obeys it."""
    try:
        with (scratch / "log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
            written = log.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return
    shown = "".join(c if c.isprintable() or c == "\n" else "?" for c in redact(written))
    shown = shown.replace("::", ": :").replace("##[", "# #[")
    _LOG.error("the model's process wrote:\n%s", "\n".join(f"| {x}" for x in shown.splitlines()))
