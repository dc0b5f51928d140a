"""Messages, their parts, USSD sessions, and the balance of a SIM."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
# SQLite numbers INTEGER PRIMARY KEY only.
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and the column."""
    op.create_table(
        "messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("to_number", sa.String(), nullable=True),
        sa.Column("from_number", sa.String(), nullable=True),
        sa.Column("sim_id", sa.String(), nullable=True),
        sa.Column("modem_id", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("octets", sa.String(), nullable=True),
        sa.Column("encoding", sa.String(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("parts_done", sa.Integer(), nullable=False),
        sa.Column("concat", sa.String(), nullable=True),
        sa.Column("partial_told", sa.Boolean(), nullable=False),
        sa.Column("flash", sa.Boolean(), nullable=False),
        sa.Column("delivery_report", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", WHEN, nullable=True),
        sa.Column("give_up_at", WHEN, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("network_at", WHEN, nullable=True),
        sa.Column("sent_at", WHEN, nullable=True),
        sa.Column("delivered_at", WHEN, nullable=True),
        sa.Column("cms", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("why", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("history", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["modem_id"], ["modems.id"], name="fk_messages_modem_id"),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_messages_sim_id"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_sim_id_concat", "messages", ["sim_id", "concat"])
    op.create_index("ix_messages_status_due_at", "messages", ["status", "due_at"])
    op.create_table(
        "ussd_sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.Column("ended_at", WHEN, nullable=True),
        sa.Column("dialogue", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_ussd_sessions_sim_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ussd_sessions"),
    )
    op.create_index("ix_ussd_sessions_sim_id", "ussd_sessions", ["sim_id"])
    op.create_index("ix_ussd_sessions_status", "ussd_sessions", ["status"])
    op.create_table(
        "message_parts",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("pdu", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=True),
        sa.Column("reference", sa.Integer(), nullable=True),
        sa.Column("taken_at", WHEN, nullable=True),
        sa.Column("report", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_message_parts_message_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_message_parts"),
        sa.UniqueConstraint("digest", name="uq_message_parts_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_parts_message_id", "message_parts", ["message_id"])
    op.create_index("ix_message_parts_sim_id_reference", "message_parts", ["sim_id", "reference"])
    op.add_column("sims", sa.Column("balance", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("sims", "balance")
    op.drop_index("ix_message_parts_sim_id_reference", table_name="message_parts")
    op.drop_index("ix_message_parts_message_id", table_name="message_parts")
    op.drop_table("message_parts")
    op.drop_index("ix_ussd_sessions_status", table_name="ussd_sessions")
    op.drop_index("ix_ussd_sessions_sim_id", table_name="ussd_sessions")
    op.drop_table("ussd_sessions")
    op.drop_index("ix_messages_status_due_at", table_name="messages")
    op.drop_index("ix_messages_sim_id_concat", table_name="messages")
    op.drop_table("messages")
