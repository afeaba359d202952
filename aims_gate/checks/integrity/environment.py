"""Pinned environment: every library that the model's files ask for has one version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.integrity.counting import COUNTS, JUDGED, cell, lacking
from aims_gate.facts import MEMORY, NoValue, Statistic
from aims_gate.sources.scoring.requirements import declared

_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9._, -]*\])? ?===? ?[A-Za-z0-9.+!_-]+( ?;.*)?")
_NAME = re.compile(r"[A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedEnvironment:
    """Whether the libraries that the model was made with can be installed again."""

    about: ClassVar[About] = About(
        name="integrity.environment",
        summary="Whether each library that the model's own files ask for is pinned to a version.",
        definition=COUNTS
        + (
            "Lines of the model's requirements.txt without `==` and a version. Libraries that "
            "these need themselves are not looked at, nor whether they can still be had."
        ),
        controls=("iso42001:A.4.2", "iso42001:A.4.4"),
        undecided=("the model has no requirements.txt and python_env.yaml that can be read",),
    )

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of violations."""
        return JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """No invalid parameters: there are none."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Read what the model's files ask for; DataError for what is no plain list of libraries."""
        subject = inputs.subject
        if subject.model.reader == MEMORY:
            yield lacking("libraries", NoValue.MISSING, "a model in memory names no libraries")
            return
        lines = declared(subject.folder, where=subject.model.name).lines
        loose = [f"{_named(one)} has no version" for one in lines if not _PINNED.fullmatch(one)]
        yield cell("libraries", lambda: loose, total=len(lines))


def _named(line: str) -> str:
    """Name of the library that a line begins with; a line may hold more than may be shown."""
    found = _NAME.match(line)
    return found[0] if found and found[0] else "a line without a name"
