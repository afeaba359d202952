"""Gap assessment kept as signed evidence, so that two of them show what was mended between."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import Statement, envelope_file
from aims_gate.attest.statement_files import write_statement
from aims_gate.errors import RecordError
from aims_gate.evidence.gap_predicate import GAP, GAP_SUBJECT
from aims_gate.evidence.predicates import FORM
from aims_gate.governance.kinds import KINDS
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_plan import GapPlan
from aims_gate.operations.aims.survey import Survey


def keep(
    rows: Sequence[GapRow], found: Survey, plan: GapPlan | None, signer: Signer, folder: Path
) -> Path:
    """Sign the assessment into *folder*; gives the envelope, whose name has the day and the rows.

    RecordError if it cannot be written, or the key cannot sign.
    """
    said = [
        {"id": one.requirement.id, "support": str(one.support), "restsOn": one.findings[0].what}
        for one in rows
    ]
    subject = canonical.sha256(canonical.encode(said))
    read = {
        f"{system}/{one.path}".lstrip("/"): one.digest
        for kind in KINDS
        for system, _, documents in found.documents(kind)
        for one in documents
    }
    read |= {f"{system}/{one.path}".lstrip("/"): one.digest for system, one in found.entries}
    phases = () if plan is None else plan.phases
    predicate = {
        "standard": "ISO/IEC 42001:2023",
        "assessedOn": found.now.strftime(FORM),
        "systems": [one.id for one in found.systems],
        "rows": said,
        "plan": [
            {
                "name": one.name,
                "begins": one.begins.isoformat(),
                "ends": one.ends.isoformat(),
                "requirements": [row.requirement.id for row in one.rows],
            }
            for one in phases
        ],
        "records": [
            {"uri": path, "digest": {"sha256": digest}} for path, digest in read.items() if digest
        ],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"cannot be made: {error.strerror}", where=str(folder)) from error
    name = f"{found.now:%Y%m%dT%H%M%SZ}-gap-{subject[:12]}"
    statement = Statement(
        predicate_type=GAP.predicate_type,
        subject=subject,
        subject_name=GAP_SUBJECT,
        predicate=predicate,
    )
    write_statement(folder, name, GAP, statement, signer)
    return folder / envelope_file(name)
