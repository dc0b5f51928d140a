"""The API's reference as records, read from its own OpenAPI document; the page and the docs are written from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from modembank.api.problem import title_of
from modembank.errors import ModembankError

_REF = "#/components/schemas/"
_ANY = f"{_REF}JsonValue"


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """A parameter or a property. `place` is path, query, header or body."""

    name: str
    place: str
    type: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class OperationDoc:
    """One method of one path."""

    method: str
    path: str
    tag: str
    summary: str
    text: str
    fields: tuple[FieldDoc, ...]
    body: str
    answer: str


@dataclass(frozen=True, slots=True)
class SchemaDoc:
    """An object of requests or answers."""

    name: str
    text: str
    fields: tuple[FieldDoc, ...]


@dataclass(frozen=True, slots=True)
class ErrorDoc:
    """A stable code."""

    code: str
    status: int
    fault: str
    text: str


class _Schema(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    ref: str = Field("", alias="$ref")
    type: str = ""
    const: JsonValue = None
    enum: list[JsonValue] = []
    any_of: list[_Schema] = Field([], alias="anyOf")
    all_of: list[_Schema] = Field([], alias="allOf")
    items: _Schema | None = None
    additional: _Schema | bool = Field(False, alias="additionalProperties")
    properties: dict[str, _Schema] = {}
    required: list[str] = []
    description: str = ""
    format: str = ""


class _Parameter(BaseModel):
    name: str
    place: str = Field(alias="in")
    required: bool = False
    description: str = ""
    content: _Schema = Field(alias="schema")


class _Media(BaseModel):
    content: _Schema = Field(_Schema(), alias="schema")


class _Content(BaseModel):
    content: dict[str, _Media] = {}


class _Operation(BaseModel):
    summary: str
    description: str
    tags: list[str]
    parameters: list[_Parameter] = []
    body: _Content | None = Field(None, alias="requestBody")
    responses: dict[str, _Content]


class _Components(BaseModel):
    schemas: dict[str, _Schema]


class _Document(BaseModel):
    paths: dict[str, dict[str, _Operation]]
    components: _Components


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything there is to look up about the API."""

    operations: tuple[OperationDoc, ...]
    schemas: tuple[SchemaDoc, ...]
    errors: tuple[ErrorDoc, ...]


def read_reference(app: FastAPI) -> Reference:
    """Return the reference of an app."""
    document = _Document.model_validate(app.openapi())
    operations = tuple(
        _operation(method, path, found) for path, methods in document.paths.items() for method, found in methods.items()
    )
    schemas = tuple(
        SchemaDoc(name, _text(schema), tuple(_properties(schema)))
        for name, schema in sorted(document.components.schemas.items())
        if schema.properties or schema.enum
    )
    return Reference(operations, schemas, error_docs())


def error_docs() -> tuple[ErrorDoc, ...]:
    """Return all error codes, in the order of the tree."""
    return tuple(ErrorDoc(kind.code, kind.status, kind.fault.value, title_of(kind)) for kind in _kinds(ModembankError))


def _kinds(kind: type[ModembankError]) -> Iterator[type[ModembankError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == ModembankError.__module__:
            yield from _kinds(child)


def _operation(method: str, path: str, found: _Operation) -> OperationDoc:
    fields = tuple(
        FieldDoc(one.name, one.place, _type(one.content), one.required, one.description) for one in found.parameters
    )
    status = next(iter(sorted(found.responses)))
    answer = _first(found.responses[status].content)
    return OperationDoc(
        method=method.upper(),
        path=path,
        tag=found.tags[0],
        summary=found.summary,
        text=found.description,
        fields=fields,
        body=_type(_first(found.body.content)) if found.body else "",
        answer=f"{status} {_type(answer)}".strip(),
    )


def _text(schema: _Schema) -> str:
    words = f" One of {', '.join(str(value) for value in schema.enum)}." if schema.enum else ""
    return f"{' '.join(schema.description.split())}{words}"


def _first(content: Mapping[str, _Media]) -> _Schema:
    return next(iter(content.values())).content if content else _Schema()


def _properties(schema: _Schema) -> Iterator[FieldDoc]:
    for name, one in schema.properties.items():
        yield FieldDoc(name, "body", _type(one), name in schema.required, one.description)


def _type(schema: _Schema) -> str:
    """Return a schema's type in words."""
    if schema.ref:
        return "any value" if schema.ref == _ANY else schema.ref.removeprefix(_REF)
    if schema.const is not None:
        return f'"{schema.const}"'
    if schema.enum:
        return " or ".join(f'"{value}"' for value in schema.enum)
    if schema.any_of or schema.all_of:
        return " or ".join(_type(one) for one in schema.any_of or schema.all_of)
    if schema.type == "array" and schema.items is not None:
        return f"list of {_type(schema.items)}"
    if isinstance(schema.additional, _Schema):
        return f"object of {_type(schema.additional)}"
    return schema.type
