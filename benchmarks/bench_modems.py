"""The modems of the benchmark: ptys that give and take 20 ms frames at their own pace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import sys
import time
import tty

from bench_lines import FRAME_BYTES, FRAME_S, Answer, Ear, Mouth, serve


class Modem:
    def __init__(self, number: int) -> None:
        self.mouth, self.ear = Mouth(phase=7 * number), Ear()
        self._master, self._slave = pty.openpty()  # the slave stays open, so that no end of file comes
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + 0.02 * (number * 0.618034 % 1)  # nobody's clock is anybody else's
        self._loop.add_reader(self._master, self._heard)
        self._loop.call_at(self._due, self._say)

    def _say(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, self.mouth.next(time.monotonic()))
        self._due += FRAME_S
        self._loop.call_at(self._due, self._say)

    def _heard(self) -> None:
        now = time.monotonic()
        self._rest += os.read(self._master, 65536)
        while len(self._rest) >= FRAME_BYTES:
            self.ear.frame(self._rest[:FRAME_BYTES], now)
            self._rest = self._rest[FRAME_BYTES:]


async def main(count: int) -> None:
    modems = [Modem(number) for number in range(count)]

    async def handle(request: Answer) -> Answer:
        if request["op"] == "ports":
            return {"ports": [modem.path for modem in modems]}
        start, end = request["start"], request["end"]
        return {
            "calls": [
                {
                    "said": [t for t in modem.mouth.marks if start <= t < end - 1],
                    **modem.ear.result(start, end),
                }
                for modem in modems
            ]
        }

    await serve(handle)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
