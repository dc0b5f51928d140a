"""`modembank sms`: send, list, show and follow messages."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, cast

import typer

from modembank.cli.output import AsJson, JsonObject, JsonValue, print_json, print_table, text_of
from modembank.cli.remote import Key, Remote, Server, Url, find_server, read_answer
from modembank.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(help="Send, list and follow short messages.", no_args_is_help=True)

COLUMNS = ("message", "time", "direction", "status", "from", "to", "parts", "text")
# The network has taken the message, or it will not.
SENT = frozenset({"sent", "delivered", "undelivered", "failed", "unknown"})
TAKEN = frozenset({"sent", "delivered"})
WAIT_S = 120.0
POLL_S = 0.3

Sim = Annotated[str | None, typer.Option("--sim", help="SIM to use: its id, ICCID or own number.")]
Pool = Annotated[str | None, typer.Option("--pool", help="Use a SIM with this tag.")]


@app.command("send")
def send(
    number: Annotated[str, typer.Argument(help="E.164, or national as written in the bank's country.")],
    text: Annotated[str, typer.Argument(help="The text, of any length that messages.max_parts allows.")],
    sim: Sim = None,
    pool: Pool = None,
    flash: Annotated[bool, typer.Option("--flash", help="Shown at once and not stored by the phone.")] = False,
    report: Annotated[
        bool | None, typer.Option("--report/--no-report", help="Ask for a delivery report.  [default: the server's]")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the network has it.")] = True,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send a message. Status 0 when the network took it (with --no-wait: when it is queued), else 1."""
    remote = Remote(url, key)
    body: JsonObject = {"to": number, "text": text, "flash": flash}
    body |= {name: value for name, value in (("from", sim), ("pool", pool)) if value}
    if report is not None:
        body["delivery_report"] = report
    message = remote.post("/v1/messages", body)
    if wait:
        message = _wait(remote, message)
    if as_json:
        print_json(message)
    else:
        detail = f": {message['detail']}" if message["detail"] else ""
        print(f"{message['id']} {message['status']}{detail}")
    if wait and message["status"] not in TAKEN:
        raise typer.Exit(1)


@app.command("list")
def list_messages(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many, newest first.")] = 20,
    direction: Annotated[str | None, typer.Option(help="inbound or outbound.")] = None,
    status: Annotated[str | None, typer.Option(help="Only of this status.")] = None,
    number: Annotated[str | None, typer.Option(help="Only from or to this number.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List messages, newest first."""
    wanted = {"direction": direction, "status": status, "number": number}
    query: dict[str, str | int] = {"limit": limit, **{name: value for name, value in wanted.items() if value}}
    page = Remote(url, key).get("/v1/messages", **query)
    if as_json:
        print_json(page)
        return
    rows = cast("list[JsonObject]", page["data"])  # by the contract of every list
    print_table(COLUMNS, [_row(row) for row in rows], empty="No message was sent or received yet.")


@app.command("show")
def show(
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id.")],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show one message and what became of it."""
    message = Remote(url, key).get(f"/v1/messages/{message_id}")
    if as_json:
        print_json(message)
        return
    print_table(COLUMNS[:-1], [_row(message)[:-1]], empty="")
    print(f"\n{text_of(message['text'])}\n")
    steps = cast("list[JsonObject]", message["history"])  # by the contract of the route
    print_table(
        ("time", "status", "detail"),
        [[text_of(step[name]) for name in ("at", "status", "detail")] for step in steps],
        empty="",
    )


@app.command("watch")
def watch(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Follow messages as they come and go, until Ctrl-C."""
    asyncio.run(_follow(find_server(url, key), print_json if as_json else _print_event))


async def _follow(server: Server, tell: Callable[[JsonObject], None]) -> None:
    import httpx2

    from modembank.cli.remote import reachable

    timeout = httpx2.Timeout(30.0, read=None)  # silence is normal on a stream
    with reachable(server):
        async with (
            httpx2.AsyncClient(base_url=server.url, headers=server.headers, timeout=timeout) as client,
            client.sse("/v1/events") as source,
        ):
            if not source.response.is_success:
                await source.response.aread()
                read_answer(source.response)
            async for line in source:
                event = line.json()
                if isinstance(event, dict) and str(event["type"]).startswith("sms."):
                    tell(event)
    raise RemoteError("the event stream ended; the server stops")


def _print_event(event: JsonObject) -> None:
    data = event["data"]
    message = data.get("message") if isinstance(data, dict) else None
    kind = str(event["type"]).removeprefix("sms.")
    if not isinstance(message, dict):
        print(f"{event['at']}  {kind}", flush=True)
        return
    print(f"{event['at']}  {kind:9}  {_party(message)}  {_line(message['text'])}", flush=True)


def _wait(remote: Remote, message: JsonObject) -> JsonObject:
    deadline = time.monotonic() + WAIT_S
    while message["status"] not in SENT and time.monotonic() < deadline:
        time.sleep(POLL_S)
        message = remote.get(f"/v1/messages/{message['id']}")
    return message


def _row(message: JsonObject) -> list[str]:
    parts = message["parts"]
    told = f"{parts['done']}/{parts['total']}" if isinstance(parts, dict) else "-"
    names = ("id", "created_at", "direction", "status", "from", "to")
    return [*(text_of(message[name]) for name in names), told, _line(message["text"])]


def _party(message: JsonObject) -> str:
    return f"from {text_of(message['from'])}" if message["direction"] == "inbound" else f"to {text_of(message['to'])}"


def _line(text: JsonValue) -> str:
    return " ".join(text_of(text).split())
