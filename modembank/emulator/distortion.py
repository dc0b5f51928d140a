"""A bad voice path: one direction silent, too soft or too loud, with holes, or muffled."""

from __future__ import annotations

from array import array

from modembank.emulator.settings import Faults

_FULL_SCALE = 32767
_MUFFLE = 0.3
"""Weight of the newest sample in a running mean: 3 dB down near 450 Hz, 15 dB near 3 kHz at 8 kHz."""


class Distortion:
    """What the fault switches do to one modem's frames, each direction with a memory of its own."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._sent = 0
        self._mean = 0.0

    def uplink(self, frame: bytes) -> bytes:
        """Return what the network gets of a frame that the host wrote."""
        faults = self._faults
        if faults.uplink_muted:
            return bytes(len(frame))
        if faults.uplink_lost_every:
            self._sent += 1
            if self._sent % faults.uplink_lost_every == 0:
                return bytes(len(frame))
        if faults.uplink_muffled:
            frame = self._muffled(frame)
        return _louder(frame, faults.uplink_db) if faults.uplink_db else frame

    def downlink(self, frame: bytes) -> bytes:
        """Return what the host gets of a frame from the network."""
        faults = self._faults
        if faults.downlink_muted:
            return bytes(len(frame))
        return _louder(frame, faults.downlink_db) if faults.downlink_db else frame

    def _muffled(self, frame: bytes) -> bytes:
        samples = array("h", frame)
        for place, sample in enumerate(samples):
            self._mean += _MUFFLE * (sample - self._mean)
            samples[place] = round(self._mean)
        return samples.tobytes()


def _louder(frame: bytes, gain_db: float) -> bytes:
    factor = 10 ** (gain_db / 20)
    clipped = (max(-_FULL_SCALE, min(_FULL_SCALE, round(factor * sample))) for sample in array("h", frame))
    return array("h", clipped).tobytes()
