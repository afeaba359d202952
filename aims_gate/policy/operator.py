"""Operator configuration: what the operator of the gate permits, whatever a policy says.

```yaml
apiVersion: aims-gate/v1
kind: Config
sources: {allow: ["s3://mlflow-artifacts/"]}   # where MLflow may keep artifacts
```

`AIMS_GATE_CONFIG` names it. It lies outside of the checkout that is gated, because whoever may
open a pull request could write it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from aims_gate.documents import Kind
from aims_gate.documents.keys import ApiVersion, Keys, choice, words
from aims_gate.documents.roots import RootsText
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError
from aims_gate.regular import read_regular

VARIABLE = "AIMS_GATE_CONFIG"


class ConfigText(Keys):
    """The whole file."""

    api_version: ApiVersion = Field(alias="apiVersion")
    kind: Annotated[str, choice("Config"), words("Config")]
    sources: RootsText = RootsText()


CONFIG = Kind(name="Config", model=ConfigText)


def allowed_by_operator(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Artifact roots on the operator's allow list (`sources.allow`); none if no file is named.

    Raises:
        UsageError: There is no such file, or it lies in the checkout.
        PolicyError: It says something that is not known, with every problem.
    """
    named = environ.get(VARIABLE, "").strip()
    if not named:
        return ()
    path = Path(named)
    if _in_checkout(path):
        hint = "name a file that no pull request can change"
        raise UsageError(f"{VARIABLE} lies in the checkout that is gated", where=named, hint=hint)
    try:
        _, written = CONFIG.read(read_regular(path, MAX_BYTES), path.name)
    except OSError as error:
        raise UsageError(f"{VARIABLE} cannot be read: {error.strerror}", where=named) from error
    return tuple(written.sources.allow)


def _in_checkout(path: Path) -> bool:
    """Tell whether a file is in the repository of the working directory, not in a nested one."""
    here = Path.cwd().resolve()
    root = next((one for one in (here, *here.parents) if (one / ".git").exists()), None)
    folders = list(path.resolve().parents)
    if root is None or root not in folders:
        return False
    # git keeps no .git, so a repository inside of a checkout was put there by somebody else
    return not any((one / ".git").is_dir() for one in folders[: folders.index(root)])
