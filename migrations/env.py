"""Run by alembic for every command, on the connection that `modembank/store/migrate.py` gives it."""

from __future__ import annotations

from alembic import context

from modembank.store.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
context.run_migrations()
