"""How Alembic connects: the address comes from `backend.db.migrate`, the migrations are plain SQL."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text


def run() -> None:
    """Apply what is missing, in one transaction, while nobody else does."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=None)
        with context.begin_transaction():
            # Two processes that start at the same moment take turns; the second finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(7364081)"))
            context.run_migrations()
    engine.dispose()


run()
