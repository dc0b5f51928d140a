"""modembank's own media engine as a process of the benchmark."""

from __future__ import annotations

import asyncio
import sys

from bench_lines import Answer, serve, usage

from modembank.bus.vocabulary import AudioDirection
from modembank.call.engine import EngineChoice, make_engine
from modembank.call.media import AudioPlace, Levels, MediaPhase, MediaSession, MediaSettings, MediaState
from modembank.media.gctune import settle_gc
from modembank.media.reactor import MediaLoop


class Sink:
    """Takes everything that a call is told, as the server would."""

    def __init__(self) -> None:
        self.state = MediaState.NEW
        self.newest: Levels | None = None

    def media_state(self, state: MediaState) -> None:
        self.state = state

    def far_dtmf(self, digit: str) -> None:
        pass

    def levels(self, levels: Levels) -> None:
        self.newest = levels

    def quiet(self, directions: tuple[AudioDirection, ...], *, stalled: bool) -> None:
        pass

    def early_media(self) -> None:
        pass

    def modem_audio_dead(self) -> None:
        pass

    def modem_audio_lost(self) -> None:
        pass


async def main() -> None:
    engine = make_engine(MediaSettings(), EngineChoice(sys.argv[1]))
    sessions: list[MediaSession] = []
    settle_gc()

    async def handle(request: Answer) -> Answer:
        if request["op"] == "attach":
            session = await engine.open(f"call_{len(sessions)}", AudioPlace(request["port"]), Sink())
            session.phase(MediaPhase.TALKING)
            sessions.append(session)
            return {"answer": await session.attach(request["offer"])}
        return usage()

    await serve(handle)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=MediaLoop) as runner:
        runner.run(main())
