"""`environment: model`: an environment of the model's own, built from what its files declare.

The standard library's `venv` and pip do it, and not `mlflow models prepare-env`: that one installs
another Python, hands pip the gate's whole environment and obeys options inside requirements.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from aims_gate import canonical
from aims_gate.errors import DataError, GateError
from aims_gate.facts import ModelPython
from aims_gate.sources.readers import read_bytes
from aims_gate.sources.scoring import install
from aims_gate.sources.scoring.process import Limits, environment, limited, tell
from aims_gate.sources.scoring.requirements import Declared, declared
from aims_gate.sources.subject import Workspace

_PIP = (
    *("HOME", "NETRC", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
"""What pip reads its own configuration from, beside `PIP_…`."""
_INSTALL = (
    "install",
    # no code of a package runs while its index's password is in reach; `install` sees to it
    *("--only-binary", ":all:"),
    # what a model of yesterday could have written to
    "--no-cache-dir",
    *("--no-input", "--no-compile", "--progress-bar", "off", "--disable-pip-version-check"),
)
_MOST_REPORT = 1 << 26
_VERSION = re.compile(r"^version = (3\.[0-9.]+)\s*$", re.MULTILINE)
_SEEN = "the log has its own words"
_HINT = (
    "only wheels are installed, from where pip is configured to look; "
    f"{_SEEN}, and the gate's own packages are never used instead"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An environment that is there."""

    interpreter: Path
    facts: ModelPython


@dataclass(slots=True, kw_only=True)
class Builder:
    """Builds the environment of one model when it is first needed, and once for all roles."""

    model: Path
    """The private copy of the model's files."""
    workspace: Workspace
    limits: Limits
    _made: Built | GateError | None = None

    def environment(self, *, where: str) -> Built:
        """Build the environment at the first call; later calls return it.

        Raises:
            DataError: The model's files declare none that could be built, its Python is not there,
                pip failed, or took too long. Nothing else is used in its place.
        """
        if self._made is None:
            try:
                self._made = _build(self.model, self.workspace, self.limits, where)
            except GateError as error:
                self._made = error
        if isinstance(self._made, GateError):
            raise DataError(self._made.what, where=where, hint=self._made.hint)
        return self._made

    def facts(self) -> ModelPython:
        """Say what was built; nothing but the wish if there is no environment."""
        made = self._made
        return made.facts if isinstance(made, Built) else ModelPython(environment="model")


def pip_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Environment variables of pip: those of a model's process, and pip's own configuration.

    Which index is asked, and with which password, is a matter of that configuration alone.
    """
    own = {k: v for k, v in environ.items() if k in _PIP or k.startswith("PIP_")}
    return environment(environ, home) | own


def _build(model: Path, workspace: Workspace, limits: Limits, where: str) -> Built:
    wanted = declared(model, where=where)
    python = _python(wanted.python, workspace.environ, where)
    pip = find_spec("pip")
    if pip is None or pip.origin is None:
        hint = f"install it: {Path(sys.executable).name} -m ensurepip"
        raise DataError("there is no pip beside the gate", where=where, hint=hint)
    many = len(wanted.lines)
    workspace.progress(
        f"building the model's own environment: Python {wanted.python}, {many} requirements, "
        f"at most {limits.build_seconds:g} s"
    )
    scratch = Path(tempfile.mkdtemp(dir=workspace.folder, prefix="build-"))
    folder = scratch / "environment"
    given = pip_environment(workspace.environ, scratch / "home")
    ends = time.monotonic() + limits.build_seconds

    def step(name: str, command: list[str]) -> None:
        left = ends - time.monotonic()
        code = limited(command, scratch, given, limits, seconds=left, where=where)
        if code != 0:
            tell(scratch)
            raise _failure(name, code, limits, where)

    step("venv", [python, "-I", "-m", "venv", "--without-pip", str(folder)])
    version = _version(folder, wanted.python, where)
    step("pip", _pip(wanted, scratch, folder, str(Path(pip.origin).parents[1])))
    _refuse_direct(scratch / "report.json", where)
    facts = ModelPython(environment="model", python=version, requirements=wanted.sha256)
    return Built(interpreter=folder / "bin" / "python", facts=facts)


def _python(version: str, environ: Mapping[str, str], where: str) -> str:
    """Find a Python of that minor version: the gate's own, or one on PATH."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{version}", path=environ.get("PATH", ""))
    if found is None:
        what = f"the model was made with Python {version}, and there is no python{version} on PATH"
        raise DataError(what, where=where, hint=f"run the gate where Python {version} is installed")
    return found


def _pip(wanted: Declared, scratch: Path, folder: Path, pip: str) -> list[str]:
    """Install packages with the gate's own pip into *folder*, which has no pip itself."""
    listed = scratch / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in wanted.lines), encoding="utf-8")
    return [
        *(str(folder / "bin" / "python"), "-I", "-B", install.__file__, pip, *_INSTALL),
        *("--report", str(scratch / "report.json"), "--requirement", str(listed)),
    ]


def _failure(step: str, code: int | None, limits: Limits, where: str) -> DataError:
    if code is None:
        what = f"building the model's environment took more than {limits.build_seconds:g} s"
        return DataError(what, where=where, hint=_SEEN)
    what = f"the model's environment could not be built: {step} ended with {code}"
    return DataError(what, where=where, hint=_HINT)


def _refuse_direct(report: Path, where: str) -> None:
    """Refuse what came from a URL: the wheel of a stranger may name one for what it needs."""
    try:
        told = canonical.parse(read_bytes(report, where=where, max_bytes=_MOST_REPORT))
        direct = [item["metadata"]["name"] for item in told["install"] if item["is_direct"]]
    except (GateError, ValueError, KeyError, TypeError) as error:
        what = "pip does not say what it installed"
        raise DataError(what, where=where, hint="pip 23 or newer is needed") from error
    if direct:
        what = f"{len(direct)} packages of the model's environment came from a URL"
        raise DataError(what, where=where, hint="what a model needs is taken from an index only")


def _version(folder: Path, wanted: str, where: str) -> str:
    """Read the version of the Python: the one on PATH under a name may be another."""
    written = read_bytes(folder / "pyvenv.cfg", where=where, max_bytes=_MOST_REPORT)
    found = _VERSION.search(written.decode("utf-8", "replace"))
    version = found.group(1) if found else ""
    if not f"{version}.".startswith(f"{wanted}."):
        what = f"the model was made with Python {wanted}, and python{wanted} is another"
        raise DataError(what, where=where)
    return version
