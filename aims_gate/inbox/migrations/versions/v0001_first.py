"""The first schema: deliveries, models with generations and leases, what is live, the log."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, Text

revision = "0001"
down_revision = None


def _key(*, primary: bool) -> list[Column[str]]:
    names = ("server", "workspace", "model")
    return [Column(name, Text, primary_key=primary, nullable=False) for name in names]


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "delivery",
        Column("id", Text, primary_key=True),
        *_text("workspace", "model"),
        Column("body", LargeBinary, nullable=False),
        Column("received", Double, nullable=False),
    )
    op.create_index("delivery_received", "delivery", ["received"])
    op.create_table(
        "subject",
        *_key(primary=True),
        *(Column(name, BigInteger, nullable=False) for name in ("gen", "done")),
        *(Column(name, Double, nullable=False) for name in ("due", "lease")),
        *_text("owner"),
        Column("attempts", BigInteger, nullable=False),
        Column("dead", Boolean, nullable=False),
        *_text("error"),
    )
    op.create_index("subject_due", "subject", ["due"])
    op.create_table(
        "live",
        *_key(primary=True),
        Column("alias", Text, primary_key=True),
        *_text("version", "sha256", "evidence", "source"),
    )
    op.create_table(
        "action",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        *_key(primary=False),
        *_text("alias", "kind", "from", "to", "reason"),
        Column("at", Double, nullable=False),
        *_text("evidence", "who"),
    )
    op.create_index("action_model", "action", ["server", "workspace", "model", "at"])
