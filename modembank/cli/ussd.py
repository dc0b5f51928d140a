"""`modembank ussd`: a code and its answer, or a menu to walk through."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from modembank.cli.output import AsJson, JsonObject, print_json
from modembank.cli.remote import Key, Remote, Url

# The network may take 30 s, and a message on its way before it as long.
PATIENCE_S = 100.0


def ussd(
    code: Annotated[str, typer.Argument(help="A code that the server's ussd.codes lists, like '*100#'.")],
    sim: Annotated[str | None, typer.Option("--sim", help="SIM to use: its id, ICCID or own number.")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Use a SIM with this tag.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", help="Answer to the next menu; repeat for more. None is asked for.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send a USSD code and show the answer; when the network offers a menu, ask what to choose.

    An empty line, the end of the input or Ctrl-C ends a session that waits. With `--json` the session is one line at
    its end, and menus are answered by `--answer` only.
    """
    remote = Remote(url, key)
    body: JsonObject = {"code": code}
    body |= {name: value for name, value in (("from", sim), ("pool", pool)) if value}
    session = remote.post("/v1/ussd", body, timeout_s=PATIENCE_S)
    answers = list(answer or [])
    ask = not as_json and sys.stdin is not None
    try:
        while session["status"] == "waiting":
            if not as_json:
                print(session["text"], flush=True)
            text = answers.pop(0) if answers else (_ask() if ask else "")
            if not text:
                break
            session = remote.post(f"/v1/ussd/{session['id']}/actions/answer", {"text": text}, timeout_s=PATIENCE_S)
    finally:
        if session["status"] == "waiting":
            session = remote.post(f"/v1/ussd/{session['id']}/actions/cancel", timeout_s=PATIENCE_S)
    if as_json:
        print_json(session)
    elif session["status"] == "canceled":
        print("The session was ended.")
    else:
        print(session["text"] or session["detail"] or "The network said nothing.")
    if session["status"] not in ("done", "canceled"):
        raise typer.Exit(1)


def _ask() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""
