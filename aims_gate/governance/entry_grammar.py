"""Keys of a log entry, and which of them its type asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import model_validator

from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, choice, optional, refuse, words
from aims_gate.governance.fields import Day, RecordId
from aims_gate.governance.wording import Telling

SEVERITIES = ("low", "medium", "high", "critical")
ASKED: Mapping[str, tuple[str, ...]] = {
    "incident": ("severity", "due"),
    "nonconformity": ("severity", "due"),
    "audit": ("by", "auditor", "scope"),
    "review": ("attendees",),
    "concern": ("due",),
    "decision": (),
    "training": ("attendees", "subject", "until"),
    "certificate": ("body", "number", "scope", "until"),
    "exercise": ("runbook",),
}
"""Types of entries, each with the keys that it asks for beside those of all."""
ENTRY_TYPES = tuple(ASKED)
PRIVATE_TYPES = frozenset({"concern"})
"""Types whose text may name who came to us: it, and a name made of it, leave the log nowhere."""


class NotificationText(Keys):
    """Who must be told, or why nobody."""

    authority: Telling
    reason: Telling = optional()
    by: k.Text = optional()
    due: Day = optional()
    done: Day = optional()


class EntryText(Keys):
    """Something that happened."""

    kind: Annotated[str, choice("entry"), words("entry")]
    type: Annotated[str, choice(*ENTRY_TYPES), words(*ENTRY_TYPES)]
    id: RecordId
    owner: k.Text
    opened: Day
    due: Day = optional()
    closed: Day = optional()
    severity: Annotated[str, choice(*SEVERITIES), words(*SEVERITIES)] = optional()
    links: k.Words = optional()
    rule: k.Text = optional()
    became: k.Text = optional()
    """The rule that was made of it, so that every later release must pass it."""
    detected_by: k.Text = optional()
    drafted_by: k.Text = optional()
    notify: NotificationText = optional()
    by: Annotated[str, choice("internal", "external"), words("internal", "external")] = optional()
    auditor: k.Text = optional()
    scope: Telling = optional()
    attendees: k.Words = optional()
    subject: Telling = optional()
    proof: Telling = optional()
    until: Day = optional()
    body: Telling = optional()
    number: k.Text = optional()
    runbook: k.Text = optional()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        lacking = [key for key in ASKED[self.type] if key not in self.model_fields_set]
        if lacking:
            raise refuse(f"of type {self.type} lacks {', '.join(lacking)}", "add it")
        if "closed" in self.model_fields_set and self.closed < self.opened:
            raise refuse("is closed before it was opened")
        return self
