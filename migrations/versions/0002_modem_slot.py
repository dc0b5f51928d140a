"""The slot of the rack that a modem was last seen in, as the chassis file names it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it is filled when the modem is seen again."""
    op.add_column("modems", sa.Column("slot", sa.String(), nullable=True))


def downgrade() -> None:
    """Forget the slots."""
    with op.batch_alter_table("modems") as table:
        table.drop_column("slot")
