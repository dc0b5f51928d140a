"""The AT channel over lines in memory, in virtual time: whole, byte by byte, delayed, lossy."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from modembank.at.command import READ_SIGNAL, AtCommand, dial, setting
from modembank.errors import AtBusyError, AtResultError, AtTimeoutError, CmeError, PortLostError
from modembank.tty.channel import AtChannel, ChannelTimings
from modembank.tty.trace import Way
from tests.support.at_link import PATH, AtLink, Deliver, byte_by_byte, delayed, lossy, whole

pytestmark = pytest.mark.looptime

ANSWERS = {
    "AT+CSQ": "\r\n+CSQ: 17,99\r\n\r\nOK\r\n",
    "AT+CREG?": "\r\n+CREG: 0,1\r\n\r\nOK\r\n",
    "AT+CIMI": "\r\n+CME ERROR: 10\r\n",
    "AT+COPS=?": '\r\n+COPS: (2,"X","X","00101")\r\n\r\nOK\r\n',
    "ATD+447700900901;": "\r\nOK\r\n",
}
SCAN = AtCommand("+COPS=?", "+COPS:", timeout_s=60.0)
CREG = AtCommand("+CREG?", "+CREG:")


class Sink:
    """Keeps what the channel tells."""

    def __init__(self) -> None:
        self.urcs: list[str] = []
        self.errors: list[PortLostError] = []

    def urc_received(self, line: str) -> None:
        self.urcs.append(line)

    def channel_lost(self, error: PortLostError) -> None:
        self.errors.append(error)


async def attach(link: AtLink, sink: Sink | None = None, **timings: float) -> AtChannel:
    return await AtChannel.open(link, PATH, sink or Sink(), ChannelTimings(**timings))  # type: ignore[arg-type]


@pytest.mark.parametrize("deliver", [whole, byte_by_byte, delayed])
async def test_one_conversation_over_every_line(deliver: Deliver) -> None:
    link, sink = AtLink(ANSWERS, deliver), Sink()
    channel = await attach(link, sink)
    assert await channel.run(READ_SIGNAL) == ("+CSQ: 17,99",)
    link.push('\r\nRING\r\n\r\n+CLIP: "+447700900123",145\r\n')
    assert await channel.run(CREG) == ("+CREG: 0,1",)
    with pytest.raises(CmeError) as caught:
        await channel.run(AtCommand("+CIMI"))
    assert caught.value.cme == 10
    with pytest.raises(AtResultError):
        await channel.run(setting("+NONSENSE=1"))
    assert await channel.run(dial("+447700900901")) == ()
    assert sink.urcs == ["RING", '+CLIP: "+447700900123",145']
    await channel.close()
    assert not sink.errors and not link.open


@pytest.mark.parametrize("seed", range(20))
async def test_a_lossy_line_gives_right_answers_or_clear_errors(seed: int) -> None:
    """Every query must answer with its own text; a lost byte may cost a deadline, never a wrong answer."""
    link = AtLink(ANSWERS, lossy(seed))
    channel = await attach(link)
    answered = 0
    with contextlib.suppress(PortLostError):  # both sentinels lost bytes: that port would be opened anew
        for _ in range(20):
            for command, prefix in ((READ_SIGNAL, "+CSQ:"), (CREG, "+CREG:")):
                try:
                    info = await channel.run(command)
                except (AtTimeoutError, AtResultError):
                    continue
                assert all(line.startswith(prefix) for line in info)
                answered += 1
    await channel.close()
    assert answered


async def test_late_answer_does_not_poison_the_next_command() -> None:
    link = AtLink(ANSWERS, silent={"AT+COPS=?"})
    channel = await attach(link)
    with pytest.raises(AtTimeoutError):
        await channel.run(SCAN)
    following = asyncio.create_task(channel.run(READ_SIGNAL))
    link.push(ANSWERS["AT+COPS=?"])
    assert await following == ("+CSQ: 17,99",)
    assert channel.counters.late == 2  # the information text and its OK
    await channel.close()


@pytest.mark.parametrize("late_s", [0.0, 0.1, 0.29, 0.31, 1.0, 4.0, 5.5, 7.0])
async def test_an_answer_late_by_any_time_reaches_nobody(late_s: float) -> None:
    """Before the drain ends, after the first sentinel, after the second: the modem answers in order."""
    link = AtLink(ANSWERS, silent={"AT+COPS=?", "AT+CMEE?", "AT+CSCS?"})
    channel = await attach(link)
    with pytest.raises(AtTimeoutError):
        await channel.run(SCAN)
    following = asyncio.create_task(channel.run(READ_SIGNAL))
    await asyncio.sleep(late_s)
    asked = [line for line in link.heard if line in ("AT+CMEE?", "AT+CSCS?")]
    link.silent.clear()
    link.push(ANSWERS["AT+COPS=?"])
    for sentinel in asked:
        link.push("\r\n+CMEE: 1\r\n\r\nOK\r\n" if sentinel == "AT+CMEE?" else '\r\n+CSCS: "GSM"\r\n\r\nOK\r\n')
    assert await following == ("+CSQ: 17,99",)
    await channel.close()


async def test_after_a_deadline_the_port_waits_for_quiet_then_asks_the_sentinel() -> None:
    link = AtLink(ANSWERS, silent={"AT+COPS=?"})
    channel = await attach(link)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    with pytest.raises(AtTimeoutError):
        await channel.run(SCAN)
    assert loop.time() - started_s == pytest.approx(60.0, abs=0.1)
    await channel.run(READ_SIGNAL)
    assert link.heard[0] == "AT+COPS=?"
    assert link.heard[1] in ("AT+CMEE?", "AT+CSCS?")
    assert link.heard[2] == "AT+CSQ"
    assert loop.time() - started_s == pytest.approx(60.3, abs=0.1)
    await channel.close()


async def test_two_unanswered_sentinels_lose_the_port() -> None:
    link, sink = AtLink({}, silent={"AT+CSQ", "AT+CMEE?", "AT+CSCS?"}), Sink()
    channel = await attach(link, sink)
    with pytest.raises(AtTimeoutError):
        await channel.run(READ_SIGNAL)
    with pytest.raises(PortLostError):
        await channel.run(READ_SIGNAL)
    assert [str(error) for error in sink.errors] == ["the modem answers no more"]
    assert not link.open
    with pytest.raises(PortLostError):
        await channel.run(READ_SIGNAL)
    await channel.close()


async def test_urcs_without_end_do_not_keep_the_port_in_resync() -> None:
    link, sink = AtLink(ANSWERS, silent={"AT+COPS=?"}), Sink()
    channel = await attach(link, sink)

    async def flood() -> None:
        while True:
            link.push('\r\n+QIND: "csq",20,99\r\n')
            await asyncio.sleep(0.1)

    flooding = asyncio.create_task(flood())
    with pytest.raises(AtTimeoutError):
        await channel.run(SCAN)
    assert await channel.run(READ_SIGNAL) == ("+CSQ: 17,99",)
    assert len(sink.urcs) > 600
    flooding.cancel()
    await channel.close()


async def test_unplugging_fails_the_running_and_the_waiting_commands_at_once() -> None:
    link, sink = AtLink({}, silent={"AT+CSQ"}), Sink()
    channel = await attach(link, sink)
    waiting = [asyncio.create_task(channel.run(READ_SIGNAL)) for _ in range(3)]
    await asyncio.sleep(0.1)
    started_s = asyncio.get_running_loop().time()
    link.unplug()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [PortLostError] * 3
    assert asyncio.get_running_loop().time() - started_s < 0.1
    assert len(sink.errors) == 1
    await channel.close()


async def test_a_cancelled_caller_leaves_the_conversation_in_step() -> None:
    link = AtLink(ANSWERS, delayed)
    channel = await attach(link)
    given_up = asyncio.create_task(channel.run(READ_SIGNAL))
    never_sent = asyncio.create_task(channel.run(dial("+447700900901")))
    await asyncio.sleep(0.1)
    given_up.cancel()
    never_sent.cancel()
    assert await channel.run(CREG) == ("+CREG: 0,1",)
    assert link.heard == ["AT+CSQ", "AT+CREG?"]
    await channel.close()


async def test_a_full_queue_refuses() -> None:
    link = AtLink({}, silent={"AT+CSQ"})
    channel = await attach(link, queue=2)
    tasks = [asyncio.create_task(channel.run(READ_SIGNAL))]
    await asyncio.sleep(0.1)
    tasks += [asyncio.create_task(channel.run(READ_SIGNAL)) for _ in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(AtBusyError):
        await channel.run(READ_SIGNAL)
    await channel.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, PortLostError) for outcome in outcomes)


async def test_no_carrier_of_an_earlier_call_does_not_fail_the_next_atd() -> None:
    link, sink = AtLink({"ATD+447700900901;": "\r\nNO CARRIER\r\n\r\nOK\r\n"}), Sink()
    channel = await attach(link, sink)
    assert await channel.run(dial("+447700900901")) == ()
    assert sink.urcs == ["NO CARRIER"]
    await channel.close()


async def test_no_carrier_alone_is_the_result_of_atd() -> None:
    link, sink = AtLink({"ATD+447700900901;": "\r\nNO CARRIER\r\n"}), Sink()
    channel = await attach(link, sink)
    with pytest.raises(AtResultError) as caught:
        await channel.run(dial("+447700900901"))
    assert caught.value.result == "NO CARRIER"
    await channel.close()


async def test_the_caller_learns_whether_the_bytes_were_written() -> None:
    link = AtLink({}, silent={"AT+CSQ", "ATD+447700900901;"})
    channel = await attach(link)
    written: list[bool] = []
    first = asyncio.create_task(channel.run(READ_SIGNAL))
    second = asyncio.create_task(channel.run(dial("+447700900901"), lambda: written.append(True)))
    await asyncio.sleep(1)
    assert not written
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.sleep(1)
    assert written
    await channel.close()
    await asyncio.gather(second, return_exceptions=True)


async def test_the_trace_holds_masked_lines_both_ways() -> None:
    channel = await attach(AtLink(ANSWERS, byte_by_byte))
    await channel.run(dial("+447700900901"))
    lines = channel.trace(10)
    assert [(line.way, line.text) for line in lines] == [(Way.TO_MODEM, "ATD***901;"), (Way.FROM_MODEM, "OK")]
    assert lines[0].at.utcoffset() is not None
    assert [line.text for line in channel.trace(1)] == ["OK"]
    await channel.close()
