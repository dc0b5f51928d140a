"""Builds the audio core into the wheel; without a C compiler the wheel is pure Python and calls take that path."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CoreBuildHook(BuildHookInterface[Any]):
    """Runs before a wheel is put together; an editable install is served by `make setup`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling's `BuildHookInterface.initialize`."""
        if version == "editable":
            return
        path = Path(self.root) / "modembank" / "plane" / "build.py"
        spec = importlib.util.spec_from_file_location("plane_build", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if module.build():
            build_data["pure_python"] = False
            # One library for every CPython 3: it is loaded by ctypes and knows nothing of Python.
            tag = next(self._platforms())
            build_data["tag"] = f"py3-none-{tag}"
            build_data["artifacts"].append("modembank/plane/core.so")

    @staticmethod
    def _platforms() -> Any:
        from packaging.tags import platform_tags  # comes with hatchling

        return platform_tags()
