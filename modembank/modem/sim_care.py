"""What is done to a card with care: its PIN (I8), and what its network keeps for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from modembank.at import command as at
from modembank.at.command import AtCommand
from modembank.at.forwarding import Forwarding, ForwardingReason, erase, query, read_forwarding
from modembank.at.identity import CME_SIM, SimStatus
from modembank.at.network import AUTOMATIC_OPERATOR, select_operator
from modembank.at.pin import PinState, Retries, SimLock, enter_pin, enter_puk, read_lock, read_retries
from modembank.errors import (
    AtResultError,
    AtSyntaxError,
    CmeError,
    LineBusyError,
    PinRefusedError,
    PinWrongError,
    WrongStateError,
)
from modembank.modem.ask import Ask

FEWEST_TRIES = 3  # all that a card ever gives: with fewer somebody has erred before, and the last error blocks it
_CME_LOCKS = {5: SimLock.OTHER, 11: SimLock.PIN, 12: SimLock.PUK, 17: SimLock.OTHER, 18: SimLock.OTHER}


class SimCare:
    """The card of one modem. Remembers which card a PIN was tried on, over restarts of the modem too."""

    def __init__(
        self,
        ask: Ask,
        read_tries: tuple[AtCommand, ...],
        in_call: Callable[[], bool],
        on_asking: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`on_asking` is told when the network begins and ceases to owe an answer."""
        self._ask = ask
        self._read_tries = read_tries
        self._in_call = in_call
        self._on_asking = on_asking
        self._questions = 0  # to the network, at work or waiting
        self._unasked = asyncio.Event()  # there is none
        self._unasked.set()
        self._wanted = False  # a call wants the line: the running question is the last
        self._trying = asyncio.Lock()
        self._tried = False
        self._tried_card: str | None = None

    def saw(self, status: SimStatus, iccid: str | None) -> None:
        """The card was looked at: when it is another one, or open, its PIN may be tried (again)."""
        other = iccid is not None and self._tried_card is not None and iccid != self._tried_card
        if status in {SimStatus.ABSENT, SimStatus.READY} or other:
            self._tried, self._tried_card = False, None

    async def read(self) -> PinState | None:
        """What the card asks for and the tries it leaves; None when it asks for nothing. Raises AtResultError."""
        lock = await self._read_lock()
        if lock is None:
            return None
        retries = await self._read_retries()
        return PinState(lock, retries.pin, retries.puk)

    async def enter_pin(self, pin: str, iccid: str | None) -> None:
        """Try a PIN once, if that cannot block the card; see `Modem.enter_pin`."""
        command = enter_pin(pin)
        async with self._trying:
            state = await self.read()
            if state is None:
                raise WrongStateError("the SIM asks for no PIN")
            _check(state)
            if self._tried:
                raise PinRefusedError("a PIN was tried on this card already; take it out and put it in again")
            self._tried, self._tried_card = True, iccid
            try:
                await self._ask(command)
            except AtResultError as error:
                left = (await self._read_retries()).pin
                raise PinWrongError(f"the card refused the PIN ({error.result}); {_tries(left)}") from None
            self._tried = False

    async def enter_puk(self, puk: str, pin: str, left: int | None) -> None:
        """Give the PUK once, if the tries left are those that a person saw; see `Modem.enter_puk`."""
        command = enter_puk(puk, pin)
        async with self._trying:
            state = await self.read()
            if state is None or state.lock is not SimLock.PUK:
                raise WrongStateError("the SIM asks for no PUK")
            if state.puk_left == 0:
                raise PinRefusedError("the card is blocked for good; ask the operator for another one")
            if state.puk_left != left:
                raise PinRefusedError(f"{_tries(state.puk_left)}, and not what was confirmed; nothing was tried")
            try:
                await self._ask(command)
            except AtResultError as error:
                now = (await self._read_retries()).puk
                raise PinWrongError(f"the card refused the PUK ({error.result}); {_tries(now)}") from None
            self._tried = False

    async def read_forwarding(self) -> tuple[Forwarding, ...]:
        """The forwardings that are active for voice; see `Modem.read_forwarding`."""
        found = []
        with self._asking():
            for reason in ForwardingReason:
                self._check_idle()  # a call may have begun while the network answered
                found.append(read_forwarding(await self._ask(query(reason)), reason))
        return tuple(one for one in found if one is not None)

    async def clear_forwarding(self) -> None:
        """Erase every forwarding; see `Modem.clear_forwarding`."""
        with self._asking():
            for reason in ForwardingReason:
                self._check_idle()
                await self._ask(erase(reason))

    async def select_operator(self, plmn: str | None) -> None:
        """Register with this operator only, or with any again; see `Modem.select_operator`."""
        with self._asking():
            self._check_idle()
            await self._ask(AUTOMATIC_OPERATOR if plmn is None else select_operator(plmn))

    async def give_way(self, limit_s: float) -> None:
        """A call wants the line: ask no more, and wait for the answer that is owed; see `Modem.give_way`."""
        try:
            async with asyncio.timeout(limit_s):
                while self._questions:
                    self._wanted = True
                    await self._unasked.wait()
        except TimeoutError:
            raise LineBusyError(
                f"the network has not answered this modem's last question within {limit_s:g} s; try again in a minute"
            ) from None

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """The port is occupied until the network has answered; a command cannot be taken back."""
        self._questions += 1
        self._unasked.clear()
        self._on_asking(True)
        try:
            yield
        finally:
            self._questions -= 1
            if not self._questions:
                self._wanted = False
                self._unasked.set()
                self._on_asking(False)

    def _check_idle(self) -> None:
        """Raises WrongStateError. A command that waits for the network would keep a dial or a hang-up waiting."""
        if self._in_call():
            raise WrongStateError("the network is not asked during a call")
        if self._wanted:
            raise WrongStateError("a call is to be placed; the network is asked later")

    async def _read_lock(self) -> SimLock | None:
        try:
            info = await self._ask(at.READ_PIN)
        except CmeError as error:
            if CME_SIM.get(error.cme) is not SimStatus.LOCKED:
                raise
            return _CME_LOCKS[error.cme]
        return read_lock(info[-1]) if info else None

    async def _read_retries(self) -> Retries:
        for command in self._read_tries:
            try:
                retries = read_retries(await self._ask(command))
            except (AtResultError, AtSyntaxError):
                continue
            if retries.pin is not None:
                return retries
        return Retries(None, None)


def _check(state: PinState) -> None:
    """Raises PinRefusedError."""
    if state.lock is SimLock.PUK:
        raise PinRefusedError("the card is blocked: only a person may enter its PUK")
    if state.lock is not SimLock.PIN:
        raise PinRefusedError("the modem is locked to another card or network: a PIN does not help")
    if state.pin_left is None:
        raise PinRefusedError("the modem does not tell how many tries are left; enter the PIN in a telephone")
    if state.pin_left < FEWEST_TRIES:
        raise PinRefusedError(f"{_tries(state.pin_left)}; enter the PIN in a telephone")


def _tries(left: int | None) -> str:
    if left is None:
        return "how many tries are left is not known"
    return f"{left} {'try is' if left == 1 else 'tries are'} left"
