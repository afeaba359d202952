"""Settings of a session: which policies it must decide, with their rules and digests.

They are read once, by the process that people call: what a test does to a policy file afterwards
changes neither the rules that are required nor the digest that the run is held against.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pydantic
import pytest

from aims_gate.errors import GateError, PolicyError, Problem, UsageError
from aims_gate.operations.defaults import NAME, Chosen, load, refuse_displaced
from aims_gate.operations.defaults_keys import TABLE
from aims_gate.plan import plan
from aims_gate.policy.data_roles import roles_of
from aims_gate.policy.resolve import check
from aims_gate.policy.scope import stage_of

POLICY = "policy.yaml"
_MOST = 100
"""Policies of one session; a folder that holds more is a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredRule:
    """A rule that the decision needs."""

    id: str
    line: int
    """In the policy's file; 0 where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedPolicy:
    """A policy, its required rules or what is wrong with it."""

    path: str
    """Absolute, as collectors know it."""
    name: str
    """From where pytest was called, as on the command line; the beginning of each item's name."""
    digest: str = ""
    rules: tuple[RequiredRule, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the session that apply to every policy, the same in each process."""

    start: str
    """Where pytest was called."""
    session: str
    """Random: what another session left is not believed."""
    folder: str
    """Private, made by this session and removed by it."""
    model: str | None = None
    stage: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    evidence: str | None = None
    """Absolute, where evidence is to be kept; None keeps none."""
    defaults_used: str = ""
    """What was taken from [tool.aims-gate]."""
    policies: tuple[RequestedPolicy, ...] = ()


def settings_of(config: pytest.Config, *, session: str, folder: str) -> Settings:
    """Read the options, the setting and the policies that they name.

    What is wrong with a policy is kept in it, to become a collection error.

    Raises:
        UsageError: An option is wrong, or names no policy; PolicyError if [tool.aims-gate] is.
    """
    start = config.invocation_params.dir
    chosen = Chosen(defaults=load(start))
    named = _named(config, chosen, start)
    words: Sequence[str] = config.getoption("aims_gate_data") or ()
    data = chosen.pairs("data", _pairs(words))
    handed = _not_typed(config, words)
    roles_of(data)
    model = chosen.value("model", config.getoption("aims_gate_model"))
    stage = chosen.value("stage", config.getoption("aims_gate_stage"))
    evidence = config.getoption("aims_gate_evidence")
    for name in ("model", "data", "stage", "evidence"):
        if config.getoption(f"aims_gate_{name}") is not None and not named:
            what = f"--aims-gate-{name} needs a policy"
            raise UsageError(what, hint="name one with --aims-gate POLICY")
    return Settings(
        start=str(start),
        session=session,
        folder=folder,
        model=model,
        stage=stage,
        data=data,
        evidence=None if evidence is None else str(start / evidence),
        defaults_used=chosen.told(),
        policies=tuple(
            _read(path, start=start, chosen=chosen, model=model, stage=stage, handed=handed)
            for path in named
        ),
    )


def to_json(settings: Settings) -> str:
    """Write settings for a worker of pytest-xdist."""
    return pydantic.TypeAdapter(Settings).dump_json(settings).decode()


def from_json(text: str) -> Settings:
    """Read what `to_json` wrote."""
    return pydantic.TypeAdapter(Settings).validate_json(text, strict=True)


def is_policy(path: Path) -> bool:
    """Tell whether a file is a policy by its name."""
    return path.name == POLICY or path.name.endswith(f".{POLICY}")


def _named(config: pytest.Config, chosen: Chosen, start: Path) -> tuple[Path, ...]:
    """Policy files that the command line asks for, each once; the ini setting names them."""
    words: Sequence[str] = config.getoption("aims_gate") or ()
    arguments = [start / argument.partition("::")[0] for argument in config.args]
    requested = [start / word for word in words if word]
    requested += [path for path in arguments if is_policy(path) and path.is_file()]
    if "" in words:
        setting = [Path(path) for path in config.getini("aims_gate_policy")]
        requested += setting or [_usual(chosen, start, config.rootpath)]
    found = dict.fromkeys(file for path in requested for file in _files(path, config))
    if len(found) > _MOST:
        raise UsageError(f"more than {_MOST} policies", hint="name the files, or a smaller folder")
    return tuple(found)


def _usual(chosen: Chosen, start: Path, root: Path) -> Path:
    given: str | None = None
    policy = chosen.value("policy", given)
    if policy is not None and policy.startswith("pack:"):
        hint = "write a policy.yaml that extends it: a rule's test lies on a line of a file"
        raise UsageError(f"{policy} is no file", hint=hint)
    return root / POLICY if policy is None else start / policy


def _files(path: Path, config: pytest.Config) -> Iterator[Path]:
    """The file itself, or the policy files below a folder."""
    resolved = Path(os.path.abspath(path))  # noqa: PTH100  # links stay: pytest does not follow them
    if resolved.is_dir():
        found = sorted(_below(resolved, config.getini("norecursedirs")))
        if not found:
            hint = f"it is searched for {POLICY} and *.{POLICY}"
            raise UsageError("there is no policy in the folder", where=str(path), hint=hint)
        yield from found
    elif resolved.is_file():
        yield resolved
    else:
        hint = "name a policy file, or a folder that holds one"
        raise UsageError("there is no such policy", where=str(path), hint=hint)


def _below(folder: Path, passed: Sequence[str]) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not any(fnmatchcase(name, pattern) for pattern in passed)
            and not (Path(inside) / name / "pyvenv.cfg").exists()
        ]
        yield from (path for name in files if is_policy(path := Path(inside) / name))


def _pairs(words: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        role, equals, uri = word.partition("=")
        if not (role and equals and uri):
            raise UsageError(f"--aims-gate-data {word!r} is not ROLE=URI")
        if role in found:
            raise UsageError(f"--aims-gate-data names {role!r} twice")
        found[role] = uri
    return found


def _not_typed(config: pytest.Config, words: Iterable[str]) -> set[str]:
    """Roles whose data come from an ini file, not from the command line or the environment."""
    typed = [*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    return {
        word.partition("=")[0]
        for word in words
        if not any(str(one) == word or str(one).endswith(f"={word}") for one in typed)
    }


def _read(
    path: Path,
    *,
    start: Path,
    chosen: Chosen,
    model: str | None,
    stage: str | None,
    handed: AbstractSet[str],
) -> RequestedPolicy:
    name = Path(os.path.relpath(path, start)).as_posix()
    try:
        with contextlib.chdir(start):  # its name goes into messages and evidence, as for `run`
            policy, found = check(name, environ=os.environ)
    except GateError as error:
        return RequestedPolicy(path=str(path), name=name, problems=(str(error),))
    problems: list[Problem] = list(found)
    rules: tuple[RequiredRule, ...] = ()
    if policy is not None:
        problems += plan(policy, now=datetime.now(UTC)).problems
        own = policy.uri
        rules = tuple(
            RequiredRule(id=rule.id, line=rule.place.line if rule.place.file == own else 0)
            for rule in policy.rules
        )
        named = {role: spec.source for role, spec in policy.data.items() if spec.source}
        try:
            stage_of(policy, stage)
            refuse_displaced(chosen.defaults, chosen.used, named)
        except PolicyError as error:
            problems += error.problems
        problems += [
            Problem(
                file=name,
                line=0,
                what=f"data.{role}: the policy says where these data come from ({source}), and "
                "addopts of an ini file hands over others",
                hint="take them out; --aims-gate-data on the command line may replace them",
            )
            for role, source in named.items()
            if role in handed
        ]
    if not model:
        hint = f"give --aims-gate-model, or model under [{TABLE}] of {NAME}"
        problems.append(Problem(file=name, line=0, what="there is no model to gate", hint=hint))
    return RequestedPolicy(
        path=str(path),
        name=name,
        digest="" if policy is None else policy.digest,
        rules=rules,
        problems=tuple(str(problem) for problem in sorted(problems)),
    )
