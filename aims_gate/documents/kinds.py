"""The kinds of documents that people write, by the word that names them on the command line."""

from __future__ import annotations

from typing import Any

from aims_gate.documents import Kind
from aims_gate.plugin_table import Table

KINDS: Table[Kind[Any]] = Table(
    "kind of document",
    {
        "policy": "aims_gate.policy.grammar:POLICY",
        "trust": "aims_gate.attest.trust_grammar:TRUST",
        "waiver": "aims_gate.signoffs.grammar:WAIVER",
        "approval": "aims_gate.signoffs.grammar:APPROVAL",
        "break-glass": "aims_gate.signoffs.grammar:BREAK_GLASS",
        "config": "aims_gate.policy.operator:CONFIG",
        "registry": "aims_gate.registry_file.grammar:REGISTRY",
    },
)
