"""Audit pack: an index for people, the files by control, and an annex that checks them all."""

from __future__ import annotations

import io
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.trust import Trust
from aims_gate.errors import RecordError, UsageError
from aims_gate.evidence.layout import REPORT_FILE
from aims_gate.operations.aims.gap import assess
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.annex import annex
from aims_gate.operations.audit.approvals_then import ApprovalsThen
from aims_gate.operations.audit.files import EVIDENCE, PackFiles, collect, table
from aims_gate.operations.audit.index import AuditScope, control_sheet, index_sheet, page
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.private import without_private
from aims_gate.operations.audit.stages import AuditStage
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable, render_html

MANIFEST = "manifest.sha256"
INDEX = "index.html"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of all files in an archive: equal packs have equal bytes."""


def audit_pack(
    found: Survey, stage: AuditStage, when: Period, trust: Trust | None
) -> dict[str, bytes]:
    """All files of a pack by path; without a trust file nothing in it is signed by anybody."""
    then = ApprovalsThen.on(when.ends, found)
    scope = AuditScope(stage=stage, when=when, found=found, rows=assess(found), then=then)
    taken = collect(scope, trust)
    files = dict(taken.files)
    files[INDEX] = _page(index_sheet(scope, _left_out(taken)))
    for one in scope.rows:
        shown = control_sheet(one, scope, _of_control(one.requirement.id, taken))
        files[page(one.requirement)] = _page(shown)
    files |= annex(trust)
    files["files.csv"] = table(
        [
            ("control", "file", "sha256"),
            *(
                (one.requirement.id, path, canonical.sha256(files[path]))
                for one in scope.rows
                for path in sorted(
                    {page(one.requirement), *taken.controls.get(one.requirement.id, ())}
                )
            ),
        ]
    )
    lines = (f"{canonical.sha256(data)}  {path}\n" for path, data in sorted(files.items()))
    files[MANIFEST] = "".join(lines).encode()
    return files


def _page(sheet: Sheet) -> bytes:
    return render_html(without_private(sheet)).encode()


def _left_out(taken: PackFiles) -> SheetTable:
    return SheetTable(
        title="What is not in the pack",
        heads=("file, and why",),
        rows=tuple(SheetRow(cells=(one,), tone="warn") for one in taken.left_out),
        empty="everything that was read is in it",
    )


def _of_control(name: str, taken: PackFiles) -> SheetTable:
    """Files of a requirement: a row for each record, and one for the folder of each evaluation."""
    folders: dict[str, list[str]] = {}
    for path in sorted(taken.controls.get(name, ())):
        parts = path.split("/")
        folders.setdefault("/".join(parts[:2]) if parts[0] == EVIDENCE else path, []).append(path)
    rows = []
    for place, paths in folders.items():
        shown = next((one for one in paths if one.endswith(REPORT_FILE)), paths[0])
        several = f"{place}/: {len(paths)} files" if paths != [place] else place
        digest = canonical.sha256(taken.files[shown])
        cells = several, digest if shown == place else f"{digest} of {shown.rpartition('/')[2]}"
        rows.append(SheetRow(cells=cells, link=f"../{shown}"))
    return SheetTable(
        title="Files in this pack, each with its digest in files.csv",
        heads=("file", "sha256"),
        rows=tuple(rows),
        empty="none",
    )


def write_pack(files: Mapping[str, bytes], out: Path) -> str:
    """Write a pack as a new folder, or as an archive if *out* ends in `.zip`.

    Gives the SHA-256 of its manifest, which whoever checks it must hear by another way.

    Raises:
        UsageError: *out* exists; nothing is ever overwritten.
        RecordError: It cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise UsageError("is there already", where=str(out), hint="name a new folder or archive")
    beside = out.parent / f".{out.name}.{secrets.token_hex(8)}.part"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".zip":
            beside.write_bytes(_archive(files))
        else:
            for path, data in files.items():
                place = beside / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        beside.rename(out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        what = f"cannot be written: {error.strerror or error}"
        raise RecordError(what, where=str(out)) from error
    return canonical.sha256(files[MANIFEST])


def _archive(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return written.getvalue()
