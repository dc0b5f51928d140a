"""A bridge as any developer would write it with pyserial-asyncio and aiortc: what ours is measured against."""

from __future__ import annotations

import asyncio
import fractions
import os

import serial_asyncio
from aiortc import (
    MediaStreamError,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from av import AudioFrame, AudioResampler
from bench_lines import Answer, serve, usage


class ModemTrack(MediaStreamTrack):
    """The modem's voice as a track: 20 ms at a time, as the port gives it."""

    kind = "audio"

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__()
        self._reader = reader
        self._pts = 0

    async def recv(self) -> AudioFrame:
        data = await self._reader.readexactly(320)
        frame = AudioFrame(format="s16", layout="mono", samples=160)
        frame.planes[0].update(data)
        frame.sample_rate = 8000
        frame.time_base = fractions.Fraction(1, 8000)
        frame.pts = self._pts
        self._pts += 160
        return frame


class Bridge:
    def __init__(self) -> None:
        self._connections: list[RTCPeerConnection] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def attach(self, port: str, offer: str) -> str:
        reader, writer = await serial_asyncio.open_serial_connection(url=port, baudrate=115200)
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        connection.addTrack(ModemTrack(reader))

        @connection.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            self._tasks.append(asyncio.create_task(self._uplink(track, writer)))

        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    async def _uplink(self, track: MediaStreamTrack, writer: asyncio.StreamWriter) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=8000)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, AudioFrame)
            for part in resampler.resample(frame):
                writer.write(bytes(part.planes[0])[: 2 * part.samples])


async def main() -> None:
    bridge = Bridge()

    async def handle(request: Answer) -> Answer:
        if request["op"] == "attach":
            return {"answer": await bridge.attach(request["port"], request["offer"])}
        return usage()

    await serve(handle)
    os._exit(0)  # the benchmark has its figures; closing the connections one by one would take seconds


if __name__ == "__main__":
    asyncio.run(main())
