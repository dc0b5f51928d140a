"""The reference as a page: no script, no style in line, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from modembank.api.reference import FieldDoc, OperationDoc, Reference, read_reference

router = APIRouter(include_in_schema=False)

STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h3 { margin-top: 2rem; }
code { font-size: 0.9em; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.6rem 0.2rem 0; border-bottom: 1px solid #8884; }
"""


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Return the reference."""
    app = request.app
    assert isinstance(app, FastAPI)
    return HTMLResponse(_page(app))


@router.get("/docs/style.css")
def style() -> Response:
    """Return the page's style."""
    return Response(STYLE, media_type="text/css")


def _page(app: FastAPI) -> str:
    reference = read_reference(app)
    body = "".join((_operations(reference), _schemas(reference), _errors(reference)))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>modembank API</title>'
        '<link rel="stylesheet" href="/docs/style.css">'
        f"<h1>modembank API</h1><p>{escape(app.description)} "
        f'For programs: <a href="/openapi.json">openapi.json</a>.</p>{body}'
    )


def _operations(reference: Reference) -> str:
    tags = dict.fromkeys(operation.tag for operation in reference.operations)
    parts = []
    for tag in tags:
        parts.append(f"<h2>{escape(tag.capitalize())}</h2>")
        parts += [_operation(one) for one in reference.operations if one.tag == tag]
    return "".join(parts)


def _operation(operation: OperationDoc) -> str:
    body = f"<p>Body: {_linked(operation.body)}</p>" if operation.body else ""
    return (
        f"<h3><code>{operation.method} {escape(operation.path)}</code></h3>"
        f"<p><b>{escape(operation.summary)}.</b> {escape(operation.text)}</p>"
        f"{_fields(operation.fields)}{body}<p>Answer: {_linked(operation.answer)}</p>"
    )


def _schemas(reference: Reference) -> str:
    parts = [
        f'<h3 id="{escape(one.name)}">{escape(one.name)}</h3><p>{escape(one.text)}</p>{_fields(one.fields)}'
        for one in reference.schemas
    ]
    return f"<h2>Objects</h2>{''.join(parts)}"


def _errors(reference: Reference) -> str:
    rows = [
        (f'<code id="{one.code}">{one.code}</code>', str(one.status), one.fault, escape(one.text))
        for one in reference.errors
    ]
    return f"<h2>Errors</h2>{_table(('code', 'status', 'who can mend it', 'meaning'), rows)}"


def _fields(fields: Sequence[FieldDoc]) -> str:
    rows = [(f"<code>{escape(one.name)}</code>", _kind(one), _linked(one.type), escape(one.text)) for one in fields]
    return _table(("name", "", "type", "meaning"), rows) if rows else ""


def _kind(field: FieldDoc) -> str:
    place = "" if field.place == "body" else f"{field.place}, "
    return f"{place}{'required' if field.required else 'optional'}"


def _linked(type_: str) -> str:
    words = [
        f'<a href="#{escape(word)}">{escape(word)}</a>' if word[:1].isupper() else escape(word)
        for word in type_.split(" ")
    ]
    return " ".join(words)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
