"""The kinds of statements that the gate signs, by name; adding one is a file and a row.

`tests/conformance/test_statement_kind.py` holds every one to what verification rests on.
"""

from __future__ import annotations

from typing import Any

from aims_gate.attest.statement import StatementKind
from aims_gate.plugin_table import Table

KINDS: Table[StatementKind[Any]] = Table(
    "kind of statement",
    {
        "evaluation": "aims_gate.evidence.predicates:EVALUATION",
        "test-result": "aims_gate.evidence.predicates:TEST_RESULT",
        "vsa": "aims_gate.evidence.predicates:SUMMARY",
        "waiver": "aims_gate.signoffs.kinds:WAIVER",
        "approval": "aims_gate.signoffs.kinds:APPROVAL",
        "break-glass": "aims_gate.signoffs.kinds:BREAK_GLASS",
        "record-approval": "aims_gate.signoffs.kinds:RECORD",
        "promotion": "aims_gate.evidence.predicates:PROMOTION",
        "revocation": "aims_gate.evidence.predicates:REVOCATION",
        "live": "aims_gate.evidence.live:LIVE",
        "policy": "aims_gate.evidence.predicates:POLICY",
        "gap": "aims_gate.evidence.gap_predicate:GAP",
        "audit-pack": "aims_gate.evidence.pack_predicate:AUDIT_PACK",
        "public": "aims_gate.evidence.public_predicate:PUBLIC",
    },
)
