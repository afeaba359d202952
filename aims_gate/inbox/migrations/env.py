"""What Alembic runs to migrate, inside the transaction of `database.open_inbox`."""

from alembic import context

from aims_gate.inbox.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
