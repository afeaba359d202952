"""Tables of the inbox (SQLAlchemy Core); `migrations/` makes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

METADATA = MetaData()


class StorableText(TypeDecorator[str]):
    """Text without NUL, which MLflow may have in a name and PostgreSQL holds in none.

    Whoever registers such a name would else keep the sweep from marking any model.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write the symbol for NUL in its place."""
        return value and value.replace("\0", "\N{SYMBOL FOR NULL}")


def _key() -> tuple[Column[str], Column[str], Column[str]]:
    """Primary key columns of what is kept for each registered model."""
    return (
        Column("server", StorableText, primary_key=True),
        Column("workspace", StorableText, primary_key=True),
        Column("model", StorableText, primary_key=True),
    )


delivery = Table(
    "delivery",
    METADATA,
    Column("id", StorableText, primary_key=True),
    Column("workspace", StorableText, nullable=False),
    Column("model", StorableText, nullable=False),
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
    Column("owner", StorableText, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", StorableText, nullable=False),
    Index("subject_due", "due"),
)
live = Table(
    "live",
    METADATA,
    *_key(),
    Column("alias", StorableText, primary_key=True),
    Column("version", StorableText, nullable=False),
    Column("sha256", StorableText, nullable=False),
    Column("evidence", StorableText, nullable=False),
    Column("source", StorableText, nullable=False),
)
action = Table(
    "action",
    METADATA,
    # the order in which they were entered, whatever the clock said
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", StorableText, nullable=False, unique=True),
    Column("server", StorableText, nullable=False),
    Column("workspace", StorableText, nullable=False),
    Column("model", StorableText, nullable=False),
    Column("alias", StorableText, nullable=False),
    Column("kind", StorableText, nullable=False),
    Column("from", StorableText, key="from_version", nullable=False),
    Column("to", StorableText, key="to_version", nullable=False),
    Column("reason", StorableText, nullable=False),
    Column("at", Double, nullable=False),
    Column("evidence", StorableText, nullable=False),
    Column("who", StorableText, nullable=False),
    Index("action_model", "server", "workspace", "model", "at"),
)
