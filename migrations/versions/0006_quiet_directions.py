"""The directions of a call that carry no sound."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; calls that exist were not watched."""
    op.add_column("calls", sa.Column("quiet", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Forget which were quiet."""
    op.drop_column("calls", "quiet")
