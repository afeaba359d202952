"""Compile the locks anew with uv: names, versions and hashes, and no index address.

`core` is the package without extras, which verifies and reads policies; `run` and `gate` are those
extras as `dev` has them, which the GitHub Action installs, and `serve` is `gate` with the webhook
receiver. `dev` is everything that demo and tests
need, `pandas3` the same without Evidently, which pins pandas below 3, `spark` with PySpark, and
`iceberg` with an older one and Apache Iceberg.
`pytest7` and `pytest8` are the oldest pytest that the plugin knows and the last one before the
newest, with plugins that it must live beside. `docs` builds the site, `release` the wheel and its
bill of materials. `trestle` and `hf` are programs of others that read our exports, each in an
environment of its own.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--python-version=3.11",
    "--quiet",
)

CONSTRAINT = "--constraint=locks/dev.txt"
BESIDE = ("pytest-cov", "pytest-randomly", "pytest-rerunfailures", "pytest-xdist")


def main() -> None:
    """Write every lock of `locks/`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    gate = [*extras["run"], *(name for name in extras["gate"] if name != "aims-gate[run]")]
    dev = project["dependency-groups"]["dev"]
    back_end = [name for name in dev if name.startswith(("hatchling", "editables"))]
    unpinned = [name for name in gate if not name.startswith(("evidently", "pandas"))]
    compile_lock("core", [*core, *back_end])
    receiver = [*extras["serve"], *extras["postgres"][1:]]
    more = [*receiver, *extras["ibis"][1:], *extras["delta"][1:], *extras["report"]]
    compile_lock("dev", [*core, *gate, *more, *dev])
    compile_lock("run", [*core, *extras["run"], *back_end], CONSTRAINT)
    compile_lock("gate", [*core, *gate, *back_end], CONSTRAINT)
    compile_lock("serve", [*core, *gate, *receiver, *back_end], CONSTRAINT)
    compile_lock("pandas3", [*core, *unpinned, "pandas>=3", *more, *dev])
    for name in ("spark", "iceberg"):
        engine = project["dependency-groups"][name]
        compile_lock(name, [*core, *gate, *more, *dev, *engine], CONSTRAINT)
    compile_lock(
        "release", [*core, *back_end, *project["dependency-groups"]["release"]], CONSTRAINT
    )
    compile_lock("docs", project["dependency-groups"]["docs"])
    compile_lock("pytest7", ["pytest~=7.0.0", *BESIDE])
    compile_lock("pytest8", ["pytest~=8.0", *BESIDE])
    compile_lock("trestle", ["compliance-trestle>=5.2"])
    compile_lock("hf", ["huggingface-hub>=2.4"])


def compile_lock(name: str, requirements: list[str], *more: str) -> None:
    """Compile *requirements* to `locks/<name>.txt`."""
    command = ["uv", "pip", "compile", "-", *OPTIONS, *more, "--output-file", f"locks/{name}.txt"]
    text = "\n".join(requirements)
    subprocess.run(command, input=text, text=True, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
