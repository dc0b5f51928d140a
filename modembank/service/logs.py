"""Logging of a modembank process: one line per event, numbers masked above DEBUG (I7)."""

from __future__ import annotations

import logging

from modembank.at.mask import mask

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class MaskingFormatter(logging.Formatter):
    """Masks numbers, identities and PINs in everything but DEBUG lines."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        text = super().format(record)
        return text if record.levelno <= logging.DEBUG else mask(text)


def set_up_logging(level: str) -> None:
    """Log to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aioice", "aiortc", "aiosqlite", "uvicorn", "alembic", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
