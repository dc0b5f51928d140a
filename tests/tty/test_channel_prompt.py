"""Commands with a payload: prompt, submission, and the way out of a prompt that the modem is stuck in."""

from __future__ import annotations

import asyncio

import pytest

from modembank.at.command import READ_SIGNAL, AtCommand
from modembank.errors import AtTimeoutError, CmsError, PortLostError
from modembank.tty.channel import AtChannel, ChannelTimings
from tests.support.at_link import ESCAPE, PATH, AtLink, Deliver, byte_by_byte, delayed, whole

pytestmark = pytest.mark.looptime

PAYLOAD = "0011000C9144770090902100000002E834"
SUBMIT = AtCommand("+CMGS=16", "+CMGS:", timeout_s=60.0, payload=PAYLOAD)
CSQ = {"AT+CSQ": "\r\n+CSQ: 17,99\r\n\r\nOK\r\n"}
PROMPTS = CSQ | {"AT+CMGS=16": "\r\n> "}
TAKES = PROMPTS | {PAYLOAD + "\x1a": "\r\n+CMGS: 214\r\n\r\nOK\r\n"}


class Sink:
    """Keeps what the channel tells."""

    def __init__(self) -> None:
        self.urcs: list[str] = []

    def urc_received(self, line: str) -> None:
        self.urcs.append(line)

    def channel_lost(self, error: PortLostError) -> None:
        self.urcs.append(str(error))


class Stuck(AtLink):
    """Once it has prompted, it takes everything for the message until ESC or Ctrl-Z."""

    prompting = False

    def _answer(self, line: str) -> None:
        if self.prompting and ESCAPE not in line and "\x1a" not in line:
            self.heard.append(f"swallowed {line}")
            return
        self.prompting = "+CMGS" in line
        super()._answer(line)


async def attach(link: AtLink) -> AtChannel:
    return await AtChannel.open(link, PATH, Sink(), ChannelTimings())


@pytest.mark.parametrize("deliver", [whole, byte_by_byte, delayed])
async def test_the_payload_follows_the_prompt(deliver: Deliver) -> None:
    link = AtLink(TAKES, deliver)
    channel = await attach(link)
    written: list[list[str]] = []
    assert await channel.run(SUBMIT, lambda: written.append(list(link.heard))) == ("+CMGS: 214",)
    assert link.heard == ["AT+CMGS=16", PAYLOAD + "\x1a"]
    assert written == [["AT+CMGS=16", PAYLOAD + "\x1a"]]  # not when the command went, but when the message did
    assert await channel.run(READ_SIGNAL) == ("+CSQ: 17,99",)
    assert all(PAYLOAD not in line.text for line in channel.trace(100))


async def test_no_prompt_means_that_nothing_was_written() -> None:
    link = AtLink(TAKES, silent={"AT+CMGS=16"})
    channel = await attach(link)
    written: list[bool] = []
    started_s = asyncio.get_running_loop().time()
    with pytest.raises(AtTimeoutError):
        await channel.run(SUBMIT, lambda: written.append(True))
    assert not written and asyncio.get_running_loop().time() - started_s < 11
    link.push("\r\n> ")  # the prompt comes when nobody wants it any more
    assert await channel.run(READ_SIGNAL) == ("+CSQ: 17,99",)
    assert PAYLOAD + "\x1a" not in link.heard


async def test_a_refusal_instead_of_the_prompt() -> None:
    channel = await attach(AtLink(CSQ | {"AT+CMGS=16": "\r\n+CMS ERROR: 310\r\n"}))
    written: list[bool] = []
    with pytest.raises(CmsError):
        await channel.run(SUBMIT, lambda: written.append(True))
    assert not written


async def test_the_network_has_its_time_from_the_moment_of_submission() -> None:
    link = AtLink(PROMPTS, silent={PAYLOAD + "\x1a"})
    channel = await attach(link)
    sending = asyncio.create_task(channel.run(SUBMIT))
    await asyncio.sleep(59)
    assert not sending.done()
    link.push("\r\n+CMGS: 3\r\n\r\nOK\r\n")
    assert await sending == ("+CMGS: 3",)


async def test_a_modem_stuck_in_its_prompt_is_freed_by_escape() -> None:
    """Fault 8: the prompt came and was lost, and the modem takes all that follows for the message."""
    link = Stuck(PROMPTS | {"AT+CMGS=16": "\r\n"}, silent={PAYLOAD + "\x1a"})
    channel = await attach(link)
    with pytest.raises(AtTimeoutError):
        await channel.run(SUBMIT)
    assert await channel.run(READ_SIGNAL) == ("+CSQ: 17,99",)
    assert not [line for line in link.heard if line.startswith("swallowed")]


async def test_a_cancelled_message_is_not_submitted() -> None:
    link = Stuck(TAKES, silent={"AT+CMGS=16"})
    channel = await attach(link)
    sending = asyncio.create_task(channel.run(SUBMIT))
    await asyncio.sleep(1)
    sending.cancel()
    await asyncio.sleep(0)
    link.push("\r\n> ")
    assert await channel.run(READ_SIGNAL) == ("+CSQ: 17,99",)
    assert PAYLOAD + "\x1a" not in link.heard
