"""The operator's file: what whoever runs the gate permits, whatever a policy or a checkout says.

```yaml
apiVersion: aims-gate/v1
kind: Config
sources: {allow: ["s3://mlflow-artifacts/"]}   # where MLflow may keep artifacts
```

`AIMS_GATE_CONFIG` names it. It lies outside of the checkout that is gated, because whoever may
open a pull request could write it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from aims_gate.errors import PolicyError, Problem, UsageError, near
from aims_gate.policy import text
from aims_gate.policy.places import parse_allowed_root
from aims_gate.regular import read_regular

VARIABLE = "AIMS_GATE_CONFIG"
_HEAD = {"apiVersion": "aims-gate/v1", "kind": "Config"}


def allowed_by_operator(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the entries of the operator's `sources.allow`; none where no file is named.

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
        document = text.parse(read_regular(path, text.MAX_BYTES), path.name)
    except OSError as error:
        raise UsageError(f"{VARIABLE} cannot be read: {error.strerror}", where=named) from error
    problems = list(_problems(document))
    if problems:
        raise PolicyError(problems)
    return tuple(document.tree.get("sources", {}).get("allow", []))


def _in_checkout(path: Path) -> bool:
    """Tell whether a file lies in the repository that one stands in, and in none inside of it."""
    here = Path.cwd().resolve()
    root = next((one for one in (here, *here.parents) if (one / ".git").exists()), None)
    folders = list(path.resolve().parents)
    if root is None or root not in folders:
        return False
    # git keeps no .git, so a repository inside of a checkout was put there by somebody else
    return not any((one / ".git").is_dir() for one in folders[: folders.index(root)])


def _problems(document: text.Document) -> Iterator[Problem]:
    def problem(path: text.Path, what: str, hint: str = "") -> Problem:
        return Problem(file=document.file, line=document.line(path), what=what, hint=hint)

    tree = document.tree
    if not isinstance(tree, dict):
        yield problem((), "this is no mapping")
        return
    for key, value in _HEAD.items():
        if tree.get(key) != value:
            yield problem((key,), f"write {key}: {value}")
    known = (*_HEAD, "sources")
    yield from (
        problem((key,), f"unknown key {key!a}", near(key, known))
        for key in tree
        if key not in known
    )
    sources = tree.get("sources", {})
    allow = sources.get("allow", []) if isinstance(sources, dict) else None
    if not isinstance(allow, list) or set(sources) - {"allow"}:
        yield problem(("sources",), "sources has a list allow, and nothing else")
        return
    for number, entry in enumerate(allow):
        try:
            parse_allowed_root(str(entry))
        except ValueError as error:
            yield problem(("sources", "allow", number), f"{entry!a} {error}")
