"""Tables of the inbox (SQLAlchemy Core); `migrations/` makes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

METADATA = MetaData()


def _key() -> tuple[Column[str], Column[str], Column[str]]:
    """Primary key columns of what is kept for each registered model."""
    return (
        Column("server", Text, primary_key=True),
        Column("workspace", Text, primary_key=True),
        Column("model", Text, primary_key=True),
    )


delivery = Table(
    "delivery",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received", Double, nullable=False),
    Index("delivery_received", "received"),
)
subject = Table(
    "subject",
    METADATA,
    *_key(),
    Column("gen", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("due", Double, nullable=False),
    Column("lease", Double, nullable=False),
    Column("owner", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    Index("subject_due", "due"),
)
live = Table(
    "live",
    METADATA,
    *_key(),
    Column("alias", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("source", Text, nullable=False),
)
action = Table(
    "action",
    METADATA,
    # the order in which they were entered, whatever the clock said
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("server", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("from", Text, key="from_version", nullable=False),
    Column("to", Text, key="to_version", nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("who", Text, nullable=False),
    Index("action_model", "server", "workspace", "model", "at"),
)
