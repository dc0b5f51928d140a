"""What the modem driver waits for, in one record so that tests can shrink it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from modembank.tty.channel import ChannelTimings


@dataclass(frozen=True, slots=True)
class ModemTimings:
    """Seconds, each with its reason."""

    liveness_s: float = 60.0  # URCs tell the rest; a hung modem must be found before somebody dials
    unready_s: float = 15.0  # a modem without SIM or network is asked more often: some lose the URC
    jitter: float = 0.2  # part of a period, so that many modems do not ask in one moment
    sim_busy_s: float = 1.0  # between two +CPIN? while the SIM starts
    sim_start_s: float = 30.0  # after a reset a SIM may be busy (CME 14) that long
    boot_quiet_s: float = 0.5  # after RDY the modem still talks of its own
    referee_s: float = 0.05  # events come in pairs: one +CLCC for both, well within 200 ms
    call_poll_s: float = 2.0  # +CLCC beside URCs, for those that get lost
    blind_poll_s: float = 0.5  # +CLCC when it is the only witness
    absent_s: float = 0.2  # between the two +CLCC that must both lack an ended call
    unseen_s: float = 3.0  # a call just dialled may not be listed yet
    progress_s: float = 30.0  # from ATD to the first sign of the call
    alerting_s: float = 120.0  # networks give up before
    witness_s: float = 60.0  # a call that +CLCC cannot be asked about for that long is not under control
    hang_up_s: float = 5.0  # a release that takes longer was not obeyed
    cause_s: float = 2.0  # +CEER is worth that wait, no more
    ussd_s: float = 30.0  # networks ask other systems for the answer to a code
    ussd_turn_s: float = 60.0  # a person reads a menu; later the network gives up by itself
    ussd_cancelled_s: float = 1.0  # the last word of a session that was cancelled; many modems say none
    radio_off_s: float = 4.0  # between +CFUN=4 and +CFUN=1
    channel: ChannelTimings = field(default_factory=ChannelTimings)

    def scaled(self, factor: float) -> ModemTimings:
        """All waits times `factor`, those of the channel included."""
        times = {one.name: getattr(self, one.name) * factor for one in fields(self) if one.name.endswith("_s")}
        return replace(self, channel=self.channel.scaled(factor), **times)
