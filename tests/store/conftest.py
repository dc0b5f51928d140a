"""Databases for the store's tests."""

from tests.support.database_fixtures import (
    database,
    database_url,
    empty_url,
    postgres_socket,
    sqlite_template,
)

__all__ = ["database", "database_url", "empty_url", "postgres_socket", "sqlite_template"]
