"""Unix sockets under paths longer than the 108 bytes of `sun_path`.

Source: Linux unix(7). The directory is opened and named as /proc/self/fd/<n>, which is always short.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def listen_at(path: Path) -> socket.socket:
    """Return a socket that listens at a path.

    Raises:
        OSError: the path is taken or cannot be made.
    """
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    _short(path, server.bind)
    server.listen(64)
    server.setblocking(False)
    return server


def connect_to(path: Path) -> socket.socket:
    """Return a socket connected to a path.

    Raises:
        OSError: nobody listens there.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _short(path, client.connect)
    except OSError:
        client.close()
        raise
    return client


def _short(path: Path, use: Callable[[str], object]) -> None:
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        use(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
