"""Generated blocks of the reference for what people and programs touch: REST, errors, commands, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command

from modembank.api.app import create_app
from modembank.api.reference import FieldDoc, Reference, error_docs, read_reference
from modembank.bank.bank import Bank
from modembank.bus.bus import InProcessBus
from modembank.cli.app import app as cli
from modembank.config import Settings
from modembank.store.database import Database

HOME = str(Path.home())


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *(tuple(_cell(cell) for cell in row) for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _reference() -> Reference:
    settings = Settings.model_construct(**{name: field.default for name, field in Settings.model_fields.items()})
    database = Database("sqlite+aiosqlite:///never-opened.db")
    app: FastAPI = create_app(Bank(settings, database, InProcessBus()), settings)
    return read_reference(app)


def rest_operations() -> str:
    """Return every route with its parameters."""
    reference = _reference()
    parts = []
    for tag in dict.fromkeys(one.tag for one in reference.operations):
        parts.append(f"### {tag.capitalize()}\n")
        for one in (one for one in reference.operations if one.tag == tag):
            body = f"Body: {_linked(one.body)}. " if one.body else ""
            parts.append(
                f"#### `{one.method} {one.path}`\n\n**{one.summary}.** {one.text}\n\n"
                f"{_fields(one.fields)}{body}Answer: {_linked(one.answer)}\n"
            )
    return "\n".join(parts)


def rest_objects() -> str:
    """Return every object of requests and answers."""
    return "\n".join(f"### {one.name}\n\n{one.text}\n\n{_fields(one.fields)}" for one in _reference().schemas)


def _fields(fields: tuple[FieldDoc, ...]) -> str:
    rows = [
        (f"`{one.name}`", one.place, "yes" if one.required else "no", _linked(one.type), one.text) for one in fields
    ]
    if all(one.place == "body" for one in fields):
        short = [(name, required, kind, text) for name, _, required, kind, text in rows]
        return table(("name", "required", "type", "meaning"), short) + "\n" if short else ""
    return table(("name", "in", "required", "type", "meaning"), rows) + "\n"


def _linked(kind: str) -> str:
    return re.sub(r"(?<!\w)([A-Z]\w+)", lambda found: f"[{found[1]}](#{found[1].lower()})", kind)


def errors() -> str:
    """Return every stable code."""
    rows = [(f"`{one.code}`", str(one.status), one.fault, one.text) for one in error_docs()]
    return table(("`code`", "status", "who can mend it", "meaning"), rows)


def commands() -> str:
    """Return every command with its arguments and options."""
    root = get_command(cli)
    assert isinstance(root, typer.core.TyperGroup)
    return "\n".join(_command("modembank", root))


def _command(path: str, command: typer.core.TyperCommand | typer.core.TyperGroup) -> Iterator[str]:
    children = command.commands if isinstance(command, typer.core.TyperGroup) else {}
    if path != "modembank":
        rows = [_parameter(one) for one in command.params if one.name != "help"]
        options = table(("name", "default", "meaning"), rows) if rows else ""
        yield f"### {path}\n\n{_prose(command.help or '')}\n\n{options}"
    for name, child in children.items():
        assert isinstance(child, typer.core.TyperCommand | typer.core.TyperGroup)
        yield from _command(f"{path} {name}", child)


def _parameter(parameter: object) -> tuple[str, str, str]:
    if isinstance(parameter, typer.core.TyperArgument):
        return (
            f"`{parameter.metavar or (parameter.name or '').upper()}`",
            _default(parameter.default),
            parameter.help or "",
        )
    assert isinstance(parameter, typer.core.TyperOption)
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    return names, _default(parameter.default), parameter.help or ""


def _default(value: object) -> str:
    if value in (None, False, (), []) or callable(value):
        return ""
    return f"`{value}`"


def _prose(text: str) -> str:
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip())


def settings() -> str:
    """Return every setting with its environment variable."""
    return table(("setting", "environment", "default", "meaning"), _settings(Settings, ""))


def _settings(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _settings(kind, f"{prefix}{name}.")
            continue
        setting = f"{prefix}{name}"
        variable = f"MODEMBANK_{setting.replace('.', '__').upper()}"
        yield f"`{setting}`", f"`{variable}`", _setting_default(field), field.description or ""


def _setting_default(field: FieldInfo) -> str:
    default = field.default
    if isinstance(default, Path):
        return f"`{str(default).replace(HOME, '~')}`"
    return f"`{json.dumps(default)}`" if default != "" else "empty"


INTERFACE_BLOCKS: dict[str, Callable[[], str]] = {
    "rest-operations": rest_operations,
    "rest-objects": rest_objects,
    "errors": errors,
    "commands": commands,
    "settings": settings,
}
