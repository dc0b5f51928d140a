"""`modembank config`: what the settings are."""

from __future__ import annotations

import json
import os
from typing import Annotated, cast

import typer

from modembank.cli.output import AsJson, JsonObject, print_json

app = typer.Typer(help="Show and check the settings.", no_args_is_help=True)

ConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="Settings file (TOML), or MODEMBANK_CONFIG.")
]
SECRET = "•••"  # noqa: S105  # what is shown instead of one


@app.command("show")
def show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print the settings as they apply: defaults, then the file, then the environment. Passwords are hidden."""
    name_config_file(config)
    from modembank.config import load_settings

    values = cast(JsonObject, json.loads(load_settings().model_dump_json()))  # an object by construction
    _hide(values)
    if as_json:
        print_json(values)
        return
    for line in _toml(values):
        print(line)


def name_config_file(config: str | None) -> None:
    """Let `--config` win over the environment; `modembank.config` is the only reader of it."""
    if config is not None:
        os.environ["MODEMBANK_CONFIG"] = config


def _hide(values: JsonObject) -> None:
    media = cast(JsonObject, values["media"])  # sections are objects, see config.py
    for server in cast("list[JsonObject]", media["ice_servers"]):
        if server["credential"]:
            server["credential"] = SECRET
    database = cast(JsonObject, values["database"])
    database["url"] = _without_password(str(database["url"]))


def _without_password(url: str) -> str:
    from urllib.parse import urlsplit

    password = urlsplit(url).password
    return url.replace(f":{password}@", f":{SECRET}@") if password else url


def _toml(values: JsonObject) -> list[str]:
    """Write what a settings file with these values would say; names without a value are left out."""
    plain = {name: value for name, value in values.items() if not isinstance(value, dict)}
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items()]
    for section, content in values.items():
        if isinstance(content, dict):
            lines += ["", f"[{section}]"]
            lines += [f"{name} = {_toml_value(value)}" for name, value in content.items() if value is not None]
    return lines


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{name} = {_toml_value(item)}" for name, item in value.items() if item is not None)
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
