"""Which SIM carries a call: filters in order, then a ranking. Pure; the caller reads SIMs and claims the winner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from modembank.bank.operators import OperatorPolicy
from modembank.bank.records import FilterCount, Why
from modembank.bus.vocabulary import ModemState
from modembank.errors import NoSimAvailableError

RANKING = "least_recently_used"
# Registered for voice; "SMS only" is not. Source: 3GPP TS 27.007 section 7.2, in the words of at/network.py.
VOICE_REGISTRATIONS = frozenset({"home", "roaming", "home_csfb_not_preferred", "roaming_csfb_not_preferred"})
ANY_HOME_OPERATOR = OperatorPolicy(roaming=False, allowed=frozenset(), forbidden=frozenset())
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A SIM and the modem that holds it, as they are now; `modem_state` None without one.

    `asking`: its network is being asked about the SIM, and a call would have to wait for the answer.
    """

    sim_id: str
    iccid: str
    number: str | None
    tags: tuple[str, ...]
    enabled: bool
    claimed: bool
    last_used_at: datetime | None
    modem_enabled: bool
    modem_state: ModemState | None
    voice: bool
    registration: str
    plmn: str | None = None
    operators: OperatorPolicy = ANY_HOME_OPERATOR
    sound: bool = True
    asking: bool = False
    blacklisted: bool = False  # its modem refuses the number that is to be called


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller asked for: `sim` is a SIM id, an ICCID or an own number, `tag` a pool; `sound`: it listens."""

    sim: str | None = None
    tag: str | None = None
    sound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The SIM to take, and how it was found."""

    sim_id: str
    why: Why


Filter = Callable[[Candidate, Wish], bool]

FILTERS: tuple[tuple[str, Filter], ...] = (
    ("named", lambda sim, wish: wish.sim is None or wish.sim in (sim.sim_id, sim.iccid, sim.number)),
    ("tag", lambda sim, wish: wish.tag is None or wish.tag in sim.tags),
    ("enabled", lambda sim, _: sim.enabled),
    ("modem_enabled", lambda sim, _: sim.modem_enabled),
    ("not_in_call", lambda sim, _: not sim.claimed and sim.modem_state is not ModemState.IN_CALL),
    ("ready", lambda sim, _: sim.modem_state is ModemState.READY and sim.voice),
    ("sound", lambda sim, wish: sim.sound or not wish.sound),
    ("registered", lambda sim, _: sim.registration in VOICE_REGISTRATIONS),
    ("roaming", lambda sim, _: sim.operators.permits_registration(sim.registration)),
    ("operator", lambda sim, _: sim.operators.permits_operator(sim.plmn)),
    ("number_blacklisted", lambda sim, _: not sim.blacklisted),
)

# Messages also go without voice and over "SMS only" registrations, and one may wait for the end of a call.
# Source: 3GPP TS 27.007 section 7.2, <stat> 6 and 7.
MESSAGE_STATES = frozenset({ModemState.READY, ModemState.IN_CALL, ModemState.SEARCHING})  # searching for voice, that is
MESSAGE_REGISTRATIONS = VOICE_REGISTRATIONS | {"home_sms_only", "roaming_sms_only"}
MESSAGE_FILTERS: tuple[tuple[str, Filter], ...] = (
    *FILTERS[:4],
    ("ready", lambda sim, _: sim.modem_state in MESSAGE_STATES),
    ("registered", lambda sim, _: sim.registration in MESSAGE_REGISTRATIONS),
)
USSD_FILTERS: tuple[tuple[str, Filter], ...] = (
    *FILTERS[:5],
    ("ready", lambda sim, _: sim.modem_state is ModemState.READY),
    ("registered", lambda sim, _: sim.registration in MESSAGE_REGISTRATIONS),
)


def choose(
    sims: Sequence[Candidate], wish: Wish, filters: tuple[tuple[str, Filter], ...] = FILTERS, what: str = "call"
) -> Choice:
    """Return the least recently used SIM that passes every filter; never used comes first, ties go by ICCID.

    One whose network owes an answer comes after all others.

    Raises:
        NoSimAvailableError: none passes; it tells how many each filter removed.
    """
    left = list(sims)
    counts = []
    for name, passes in filters:
        kept = [sim for sim in left if passes(sim, wish)]
        counts.append(FilterCount(name=name, removed=len(left) - len(kept)))
        left = kept
    if not left:
        raise _none_available(len(sims), counts, what)
    winner = min(left, key=lambda sim: (sim.asking, sim.last_used_at or _NEVER, sim.iccid))
    return Choice(
        sim_id=winner.sim_id,
        why=Why(winner=winner.sim_id, filters=tuple(counts), ranking=RANKING, considered=len(sims)),
    )


def _none_available(considered: int, counts: Sequence[FilterCount], what: str) -> NoSimAvailableError:
    removed = {count.name: count.removed for count in counts if count.removed}
    told = ", ".join(f"{name} removed {number}" for name, number in removed.items())
    return NoSimAvailableError(
        f"none of {considered} SIMs can take this {what}: {told or 'none was ever seen'}", removed
    )
