"""The softphone page: static files, built by `make setup` into `modembank/web/dist`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

DIST = Path(__file__).parent.parent / "web" / "dist"
NOT_BUILT = (
    "The page is not built yet.\n\nRun `make setup` in the project folder and reload.\n"
    "The REST API works without it: see /docs.\n"
)
# Vite puts a hash of the content into the names below assets/, so that they may be kept for ever.
_HASHED = "assets"
_FOREVER = "public, max-age=31536000, immutable"


class Pages:
    """Serves a file of the build, or index.html for the page's own paths; the last route of the app."""

    def __init__(self, dist: Path = DIST) -> None:
        self._dist = dist

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        path: str = scope["path"].removeprefix("/")
        if scope["method"] not in {"GET", "HEAD"} or path == "v1" or path.startswith("v1/"):
            raise HTTPException(404)
        response = await asyncio.to_thread(self._find, path)
        await response(scope, receive, send)

    def _find(self, path: str) -> Response:
        file = self._file(path or "index.html")
        if file is not None:
            kept = path.split("/", 1)[0] == _HASHED
            return FileResponse(file, headers={"Cache-Control": _FOREVER if kept else "no-cache"})
        if "." in path.rsplit("/", 1)[-1]:
            raise HTTPException(404)
        index = self._file("index.html")
        if index is None:
            return PlainTextResponse(NOT_BUILT, status_code=503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    def _file(self, path: str) -> Path | None:
        if "\0" in path:
            return None
        file = (self._dist / path).resolve()
        inside = file.is_relative_to(self._dist.resolve())
        return file if inside and file.is_file() else None
