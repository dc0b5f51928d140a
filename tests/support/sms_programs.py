"""gammu and smstools run against an emulated port, unmodified."""

from __future__ import annotations

import asyncio
from pathlib import Path

PROGRAM_S = 60.0


async def gammu(port: Path, folder: Path, *arguments: str) -> str:
    """Run one gammu command and return what it printed."""
    config = folder / "gammurc"
    config.write_text(f"[gammu]\ndevice={port}\nconnection=at\n")
    process = await asyncio.create_subprocess_exec(
        "gammu", "-c", str(config), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), PROGRAM_S)
    assert process.returncode == 0, output
    return output.decode()
