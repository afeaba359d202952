"""Model integrity: whether the files still have their digests, and are in safe formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import ClassVar

from aims_gate.attest.manifest import compare, scan
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.integrity.counting import COUNTS, JUDGED, cell, lacking
from aims_gate.checks.integrity.formats import Accepted, Denied, FoundFormat, flagged
from aims_gate.checks.integrity.formats.kinds import UNKNOWN
from aims_gate.checks.integrity.formats.mlmodel import leads_out
from aims_gate.facts import MEMORY, UNSEEN, NoValue, Statistic
from aims_gate.sources.mlmodel import NAME
from aims_gate.sources.subject import Subject

_REMEDY = (
    "log scikit-learn models with serialization_format='skops', others in their library's own "
    "format, and no code beside them"
)
_REVIEWED = "a policy lets by with accept: [unknown] what is of no known format and was reviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Whether the private copy still has its digests, and which formats its files are in."""

    about: ClassVar[About] = About(
        name="integrity.model",
        summary="Whether the model's files are whole, and all in formats known to be data.",
        definition=COUNTS
        + (
            "manifest: files missing, added or changed since the model was hashed. formats, where "
            "deny names any: files in a denied format, files that are code or that MLmodel or a "
            "configuration loads as code, and files in no format that is known by its structure "
            "to be data; those are skops, XGBoost, LightGBM, CatBoost, ONNX, Keras 3, "
            "safetensors, NumPy, Parquet, Arrow, Keras' weights in HDF5, and text such as JSON, "
            "YAML, CSV and PMML, alone or in a zip archive. Where deny is empty, formats are not "
            "looked at. files: "
            "required files that are not there, and paths in MLmodel that lead out of the "
            "model. size: 1 if the files have more than max_bytes. "
            "Nothing is loaded, and data can still be wrong: a crafted tree can crash the library "
            "that reads it."
        ),
        controls=("iso42001:A.6.2.4", "iso42001:A.7.6"),
        undecided=("a file of the private copy cannot be read", "the model is in memory only"),
    )

    deny: tuple[Denied, ...] = ()
    """Formats that no file may be in; every one of them runs code when it is loaded. With any of
    them denied, code and what is in no known format are refused, too; with none, formats are not
    looked at."""
    accept: tuple[Accepted, ...] = ()
    """What is accepted beside `deny`, where somebody reviews it: `code`, `unknown`."""
    require_files: tuple[str, ...] = ()
    """Paths that must be there, such as `MLmodel` or `requirements.txt`."""
    max_bytes: int | None = None
    """Most bytes of all files together."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of violations."""
        return JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        for path in self.require_files:
            if not path or path.startswith("/") or ".." in path.split("/"):
                yield "require_files", f"{path!r} is not a path inside a model", "such as MLmodel"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hash the private copy again, and look at every file's name and first bytes."""
        subject = inputs.subject
        if subject.model.reader == MEMORY:
            yield lacking("manifest", NoValue.MISSING, "a model in memory has no files to look at")
            return
        paths = tuple(entry.path for entry in subject.manifest.entries)
        yield cell("manifest", lambda: _changed(subject), total=len(paths))
        yield self._formats(subject, paths)
        yield cell("files", lambda: self._misplaced(subject, paths), total=len(paths))
        yield cell("size", lambda: self._too_large(subject), total=len(paths))

    def _formats(self, subject: Subject, paths: tuple[str, ...]) -> Statistic:
        if not self.deny:
            return Statistic(name=UNSEEN, slice="formats", reason="formats were not looked at")
        found: dict[str, FoundFormat] = {}

        def denied() -> list[str]:
            wrong = flagged(subject.folder, paths, frozenset(self.deny), frozenset(self.accept))
            found.update(wrong)
            return [f"{path} is {what}" for path, what in found.items()]

        formats = cell("formats", denied, total=len(paths))
        if not formats.value:
            return formats
        known = {kind for what in found.values() for kind in what.kinds} - UNKNOWN
        unseen = any(what.kinds & UNKNOWN for what in found.values())
        told = [_REMEDY] * bool(known) + [_REVIEWED] * unseen
        return replace(formats, reason="; ".join([formats.reason, *told]))

    def _misplaced(self, subject: Subject, paths: tuple[str, ...]) -> list[str]:
        lost = [f"{path} is not there" for path in self.require_files if path not in paths]
        return lost + [
            f"{path} names {outside[:80]!a}, which is not in the model; save it with it"
            for path in paths
            if PurePosixPath(path).name == NAME
            for outside in leads_out((subject.folder / path).read_bytes())
        ]

    def _too_large(self, subject: Subject) -> list[str]:
        size = subject.manifest.bytes
        if self.max_bytes is None or size <= self.max_bytes:
            return []
        return [f"{size:,} bytes, more than {self.max_bytes:,}"]


def _changed(subject: Subject) -> list[str]:
    again = scan(subject.folder)
    return [str(difference) for difference in compare(subject.manifest, again)]
