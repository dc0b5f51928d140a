"""Calls, SIMs, modems, events, keys, idempotency, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
# SQLite numbers INTEGER PRIMARY KEY only.
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("secret_sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("last_used_at", WHEN, nullable=True),
        sa.Column("revoked_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("secret_sha256", name="uq_api_keys_secret_sha256"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "events",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_call_id", "events", ["call_id"])
    op.create_table(
        "idempotency",
        sa.Column("api_key_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("answer_sdp", sa.String(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_detail", sa.String(), nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("api_key_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])
    op.create_table(
        "modems",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host_id", sa.String(), nullable=False),
        sa.Column("usb_path", sa.String(), nullable=False),
        sa.Column("imei", sa.String(), nullable=True),
        sa.Column("dialect", sa.String(), nullable=False),
        sa.Column("manufacturer", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("revision", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("at_port", sa.String(), nullable=False),
        sa.Column("audio_port", sa.String(), nullable=True),
        sa.Column("first_seen_at", WHEN, nullable=False),
        sa.Column("last_seen_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_modems"),
        sa.UniqueConstraint("host_id", "usb_path", "imei", name="uq_modems_host_id_usb_path_imei"),
    )
    op.create_table(
        "sims",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("iccid", sa.String(), nullable=False),
        sa.Column("imsi", sa.String(), nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("number_by_person", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claim_epoch", sa.Integer(), nullable=False),
        sa.Column("last_used_at", WHEN, nullable=True),
        sa.Column("first_seen_at", WHEN, nullable=False),
        sa.Column("last_seen_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sims"),
        sa.UniqueConstraint("claimed_by", name="uq_sims_claimed_by"),
        sa.UniqueConstraint("iccid", name="uq_sims_iccid"),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("to_number", sa.String(), nullable=True),
        sa.Column("from_number", sa.String(), nullable=True),
        sa.Column("sim_id", sa.String(), nullable=True),
        sa.Column("modem_id", sa.String(), nullable=True),
        sa.Column("host_id", sa.String(), nullable=False),
        sa.Column("usb_path", sa.String(), nullable=False),
        sa.Column("iccid", sa.String(), nullable=False),
        sa.Column("claim_epoch", sa.Integer(), nullable=False),
        sa.Column("why", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("early_media", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("media", sa.String(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("dialing_at", WHEN, nullable=True),
        sa.Column("ringing_at", WHEN, nullable=True),
        sa.Column("early_media_at", WHEN, nullable=True),
        sa.Column("answered_at", WHEN, nullable=True),
        sa.Column("ended_at", WHEN, nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("timeout_s", sa.Double(), nullable=False),
        sa.Column("max_duration_s", sa.Double(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("hangup_source", sa.String(), nullable=True),
        sa.Column("hangup_cause", sa.String(), nullable=True),
        sa.Column("hangup_q850", sa.Integer(), nullable=True),
        sa.Column("hangup_detail", sa.String(), nullable=True),
        sa.Column("quality", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["modem_id"], ["modems.id"], name="fk_calls_modem_id"),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_calls_sim_id"),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_host_id_ended_at", "calls", ["host_id", "ended_at"])
    op.create_index("ix_calls_sim_id", "calls", ["sim_id"])
    op.create_index("ix_calls_status", "calls", ["status"])


def downgrade() -> None:
    """Drop all tables."""
    op.drop_index("ix_calls_status", table_name="calls")
    op.drop_index("ix_calls_sim_id", table_name="calls")
    op.drop_index("ix_calls_host_id_ended_at", table_name="calls")
    op.drop_table("calls")
    op.drop_table("sims")
    op.drop_table("modems")
    op.drop_index("ix_idempotency_created_at", table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_index("ix_events_call_id", table_name="events")
    op.drop_table("events")
    op.drop_table("audit")
    op.drop_table("api_keys")
