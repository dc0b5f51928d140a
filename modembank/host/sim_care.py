"""What the bank asks for a card: its PIN, its PUK, its forwardings, its operator; and the regular look at forwarding.

Forwarding is asked of the network, seconds at a time, so few modems are asked at once and none that is in a call.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from modembank.bus.commands import (
    AnyReply,
    ClearForwarding,
    Done,
    EnterPin,
    EnterPuk,
    Forwardings,
    ReadForwarding,
    SelectOperator,
    SimCommand,
)
from modembank.bus.events import AnyEvent, ForwardedTo, SimForwarding
from modembank.bus.vocabulary import ModemState
from modembank.errors import ModembankError, SimNotReadyError, WrongStateError
from modembank.host.keeper import ModemKeeper
from modembank.modem.modem import Modem

log = logging.getLogger(__name__)

LOOK_S = 2.0  # between two looks for SIMs that are due
AT_ONCE = 4  # a rack that starts must not ask its network about every SIM in one moment
AGAIN_S = 3600.0  # after a failure, and the least between two readings of one SIM that comes and goes
IN_CALL_S = 60.0  # a line that was in a call is asked later
JITTER = 0.25


class SimDesk:
    """Carries out the commands for cards, and reads forwarding soon after a SIM is ready and then regularly."""

    def __init__(
        self,
        host_id: str,
        keeper: Callable[[str], ModemKeeper],
        keepers: Callable[[], Iterable[ModemKeeper]],
        publish: Callable[[AnyEvent], None],
        forwarding_s: tuple[float, float],
    ) -> None:
        """`forwarding_s`: about when forwarding is read first, and how often then."""
        self._host_id = host_id
        self._keeper = keeper
        self._keepers = keepers
        self._publish = publish
        self._first_s, self._every_s = forwarding_s
        self._read_at: dict[str, float] = {}  # ICCID -> when the last try ended
        self._due: dict[str, float] = {}  # ICCIDs that are here -> when they are read next
        self.table: dict[type, Callable[..., Awaitable[AnyReply]]] = {
            EnterPin: self._enter_pin,
            EnterPuk: self._enter_puk,
            ReadForwarding: self._read_forwarding,
            ClearForwarding: self._clear_forwarding,
            SelectOperator: self._select_operator,
        }

    async def run(self) -> None:
        """Look after forwardings until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            due = self._find_due(asyncio.get_running_loop().time())
            await asyncio.gather(*(self._look(keeper, iccid) for keeper, iccid in due[:AT_ONCE]))

    def _find_due(self, now: float) -> list[tuple[ModemKeeper, str]]:
        here = {keeper.modem.info.iccid or "": keeper for keeper in self._keepers()}
        here.pop("", None)
        for iccid in self._due.keys() - here.keys():
            del self._due[iccid]
        due = []
        for iccid, keeper in here.items():
            if keeper.snapshot().state is not ModemState.READY:
                continue
            if iccid not in self._due:
                earliest = self._read_at.get(iccid, -AGAIN_S) + AGAIN_S
                self._due[iccid] = max(now + self._first_s * random.uniform(1 - JITTER, 1 + JITTER), earliest)
            if self._due[iccid] <= now:
                due.append((keeper, iccid))
        return due

    async def _look(self, keeper: ModemKeeper, iccid: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._forwardings(keeper, iccid)
            again_s = self._every_s
        except WrongStateError:
            again_s = IN_CALL_S
        except ModembankError as error:
            log.info("modem %s: forwarding could not be read: %s", keeper.ports.usb_path, error)
            again_s = AGAIN_S
        self._read_at[iccid] = loop.time()
        self._due[iccid] = loop.time() + again_s * random.uniform(1 - JITTER, 1)

    async def _forwardings(self, keeper: ModemKeeper, iccid: str) -> tuple[ForwardedTo, ...]:
        """Ask the network and tell the bank; a card that was changed meanwhile tells nothing."""
        modem = _idle(keeper)
        found = await modem.read_forwarding()
        active = tuple(ForwardedTo(reason=one.reason, number=one.number) for one in found)
        if modem.info.iccid != iccid:
            raise SimNotReadyError("the SIM was changed meanwhile")
        now = datetime.now(UTC)
        self._publish(
            SimForwarding(host_id=self._host_id, at=now, usb_path=keeper.ports.usb_path, iccid=iccid, active=active)
        )
        return active

    # commands

    async def _enter_pin(self, command: EnterPin) -> AnyReply:
        await self._holder(command).modem.enter_pin(command.pin)
        return Done()

    async def _enter_puk(self, command: EnterPuk) -> AnyReply:
        await self._holder(command).modem.enter_puk(command.puk, command.pin, command.tries_left)
        return Done()

    async def _read_forwarding(self, command: ReadForwarding) -> AnyReply:
        return Forwardings(active=await self._forwardings(self._holder(command), command.iccid))

    async def _clear_forwarding(self, command: ClearForwarding) -> AnyReply:
        keeper = self._holder(command)
        await _idle(keeper).clear_forwarding()
        return Forwardings(active=await self._forwardings(keeper, command.iccid))

    async def _select_operator(self, command: SelectOperator) -> AnyReply:
        await _idle(self._holder(command)).select_operator(command.plmn)
        return Done()

    def _holder(self, command: SimCommand) -> ModemKeeper:
        keeper = self._keeper(command.usb_path)
        if keeper.modem.info.iccid != command.iccid:
            raise SimNotReadyError("another SIM is in this modem now, or none")
        return keeper


def _idle(keeper: ModemKeeper) -> Modem:
    """A modem whose line no call has, not even one that has not reached it yet. Raises WrongStateError."""
    if keeper.call is not None:
        raise WrongStateError("the network is not asked during a call")
    return keeper.modem
