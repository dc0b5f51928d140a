"""The schema and its revisions, run by alembic from inside the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Connection

import modembank
from modembank.errors import StoreError
from modembank.store.message_models import MessageRow

_METADATA = MessageRow.metadata  # of all tables, once this module is imported too


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revision of the database, newest revision of the program, and where tables and models differ."""

    current: str | None
    head: str
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether this program can work with this database."""
        return self.current == self.head and not self.differences


def migrations_folder() -> Path:
    """Return the folder of the revisions: inside an installed package, else beside it in the source tree."""
    package = Path(modembank.__file__).parent
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StoreError("the migrations are missing from this installation; install modembank again")


def upgrade_schema(connection: Connection) -> None:
    """Run every revision that the database lacks, in the connection's transaction.

    Raises:
        StoreError: the database is newer than this program.
    """
    config = _config()
    config.attributes["connection"] = connection
    current = _current(connection)
    if current is not None and not _known(config, current):
        raise StoreError(
            f"the database is at revision {current}, which this version of modembank does not know; "
            "install the newer modembank that wrote it"
        )
    command.upgrade(config, "head")


def schema_state(connection: Connection) -> SchemaState:
    """Compare database, revisions and models; changes nothing."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return SchemaState(
        current=context.get_current_revision(),
        head=_head(_config()),
        differences=tuple(str(difference) for difference in compare_metadata(context, _METADATA)),
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head(config: Config) -> str:
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    return head


def _known(config: Config, revision: str) -> bool:
    try:
        return ScriptDirectory.from_config(config).get_revision(revision) is not None
    except CommandError:
        return False
