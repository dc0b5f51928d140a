"""`modembank sims …`: PIN, PUK, forwarding, operator of one SIM, by a person."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from modembank.cli.inventory import SIM_KEYS, SimName, find_one, sims
from modembank.cli.output import AsJson, JsonObject, JsonValue, print_json, text_of
from modembank.cli.remote import Key, Remote, Url
from modembank.errors import RemoteError

__all__ = ["sims"]

# The network is asked four times, and a scan of all bands takes three minutes.
NETWORK_TIMEOUT_S = 340.0
CARD_TIMEOUT_S = 70.0


@sims.command("pin")
def pin(
    name: SimName,
    clear: Annotated[bool, typer.Option("--clear", help="Forget the PIN that is kept.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Keep a SIM's PIN, sealed; it is asked for, or read from standard input. Tried once when the card asks for it."""
    remote = Remote(url, key)
    sim = _find(remote, name)
    path = f"/v1/sims/{sim['id']}/pin"
    if clear:
        _print(remote.delete(path), as_json)
        return
    _print(remote.put(path, {"pin": _secret("PIN")}, timeout_s=CARD_TIMEOUT_S), as_json)


@sims.command("puk")
def puk(
    name: SimName,
    store: Annotated[bool, typer.Option("--store", help="Keep the new PIN for this SIM.")] = False,
    tries_left: Annotated[
        int | None, typer.Option("--confirm-tries", help="Instead of the question: the tries left, as you see them.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Unblock a SIM with its PUK and give it a new PIN. Ten wrong PUKs end the card for good."""
    remote = Remote(url, key)
    sim = _find(remote, name)
    lock = sim["lock"]
    if not isinstance(lock, dict) or lock["kind"] != "puk":
        raise RemoteError(f"SIM {sim['iccid']} asks for no PUK; it is {text_of(sim['state'])}")
    left = lock["puk_left"]
    if tries_left is None:
        told = "The modem does not tell the tries left." if left is None else f"Tries left: {left}."
        typer.confirm(f"{told} A wrong PUK costs one, and the last one ends the card. Go on?", abort=True, err=True)
    elif tries_left != left:
        raise RemoteError(f"{text_of(left)} tries are left, not {tries_left}; nothing was tried")
    body: JsonObject = {"puk": _secret("PUK"), "pin": _secret("New PIN"), "tries_left": left, "store": store}
    _print(remote.post(f"/v1/sims/{sim['id']}/actions/puk", body, timeout_s=CARD_TIMEOUT_S), as_json)


@sims.command("forwarding")
def forwarding(
    name: SimName,
    check: Annotated[bool, typer.Option("--check", help="Ask the network now.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="End all forwarding of this SIM.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show where the network forwards a SIM's calls; status 1 when it does. Ask it anew, or end it."""
    remote = Remote(url, key)
    sim = _find(remote, name)
    if check or clear:
        action = "clear_forwarding" if clear else "check_forwarding"
        sim = remote.post(f"/v1/sims/{sim['id']}/actions/{action}", timeout_s=NETWORK_TIMEOUT_S)
    if as_json:
        print_json({"forwarding": sim["forwarding"], "forwarding_at": sim["forwarding_at"]})
    else:
        print(_forwarding(sim))
    if sim["forwarding"]:
        raise typer.Exit(1)


@sims.command("operator")
def operator(
    name: SimName,
    plmn: Annotated[str, typer.Argument(help="Its PLMN, for example 00101; `auto` lets the modem choose again.")],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Bind the modem of a SIM to one operator. The modem keeps that, also for other SIMs."""
    remote = Remote(url, key)
    path = f"/v1/sims/{_find(remote, name)['id']}/actions/select_operator"
    _print(remote.post(path, {"plmn": None if plmn == "auto" else plmn}, timeout_s=NETWORK_TIMEOUT_S), as_json)


def _find(remote: Remote, name: str) -> JsonObject:
    return find_one(remote.all("/v1/sims"), name, SIM_KEYS, "SIM")


def _secret(what: str) -> str:
    """Ask without an echo; from a pipe, read one line. Never an argument: other users see those."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    line = sys.stdin.readline().strip()
    if not line:
        raise RemoteError(f"no {what}: type it, or write it to standard input, one line each")
    return line


def _print(sim: JsonObject, as_json: bool) -> None:
    if as_json:
        print_json(sim)
        return
    kept = sim["pin"]
    assert isinstance(kept, dict)  # by the contract of the route
    told = [text_of(sim["state"]), text_of(sim["state_detail"]), f"PIN {kept['state']}", text_of(kept["note"])]
    print("; ".join(text for text in told if text != "-"))


def _forwarding(sim: JsonObject) -> str:
    active: JsonValue = sim["forwarding"]
    if not isinstance(active, list):
        return "The network was never asked; ask it with --check."
    if not active:
        return f"Calls are not forwarded (asked at {text_of(sim['forwarding_at'])})."
    return "\n".join(f"{one['reason']}: {text_of(one['number'])}" for one in active if isinstance(one, dict))
