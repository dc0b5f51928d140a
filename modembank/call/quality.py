"""From the media path's counters to the call record."""

from __future__ import annotations

from modembank.bus.events import MediaQuality
from modembank.media.records import MediaStats


def quality_of(stats: MediaStats) -> MediaQuality:
    """Return what the record keeps of the counters."""
    return MediaQuality(
        codec=None if stats.codec is None else stats.codec.value,
        frames_to_far=stats.packets_to_far,
        frames_from_far=stats.packets_from_far,
        lost=stats.lost,
        late=stats.late,
        concealed=stats.concealed,
        dropped=stats.dropped,
        jitter_ms=round(stats.jitter_ms, 2),
        rtt_ms=None if stats.rtt_ms is None else round(stats.rtt_ms, 2),
    )
