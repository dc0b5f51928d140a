"""What is kept of a SIM for its care, and the history of signal and registration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
# SQLite numbers INTEGER PRIMARY KEY only.
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def columns() -> tuple[sa.Column[object], ...]:
    """The new columns of a SIM; rows that exist get the defaults, the program writes every column by itself."""
    return (
        sa.Column("number_source", sa.String(), nullable=True),
        sa.Column("suggested_number", sa.String(), nullable=True),
        sa.Column("suggested_by", sa.String(), nullable=True),
        sa.Column("pin_sealed", sa.String(), nullable=True),
        sa.Column("pin_state", sa.String(), nullable=False, server_default="none"),
        sa.Column("pin_note", sa.String(), nullable=False, server_default=""),
        sa.Column("roaming", sa.Boolean(), nullable=True),
        sa.Column("allowed_operators", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("forbidden_operators", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("forwarding", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("forwarding_at", WHEN, nullable=True),
    )


def upgrade() -> None:
    """Add columns and the table."""
    for column in columns():
        op.add_column("sims", column)
    op.create_table(
        "radio_history",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("modem_id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=True),
        sa.Column("rssi_dbm", sa.Integer(), nullable=True),
        sa.Column("registration", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("operator", sa.String(), nullable=True),
        sa.Column("plmn", sa.String(), nullable=True),
        sa.Column("access", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_radio_history"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_radio_history_modem_id_seq", "radio_history", ["modem_id", "seq"])
    op.create_index("ix_radio_history_sim_id_seq", "radio_history", ["sim_id", "seq"])
    op.create_index("ix_radio_history_kind_at", "radio_history", ["kind", "at"])


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_index("ix_radio_history_kind_at", table_name="radio_history")
    op.drop_index("ix_radio_history_sim_id_seq", table_name="radio_history")
    op.drop_index("ix_radio_history_modem_id_seq", table_name="radio_history")
    op.drop_table("radio_history")
    for column in reversed(columns()):
        op.drop_column("sims", column.name)
