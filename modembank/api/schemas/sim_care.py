"""What a person does to a card."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modembank.api.schemas.common import Request

Pin = Annotated[str, Field(pattern=r"^[0-9]{4,8}$", examples=["1234"])]


class PinRequest(Request):
    """A PIN to keep for a card."""

    pin: Pin = Field(repr=False)


class PukRequest(Request):
    """A PUK, the new PIN, and the tries that the person saw: a card ends with its last one."""

    puk: Annotated[str, Field(pattern=r"^[0-9]{8}$", examples=["12345678"])] = Field(repr=False)
    pin: Pin = Field(repr=False)
    tries_left: int | None = Field(description="`lock.puk_left` as shown; refused when it is not so any more.")
    store: bool = Field(False, description="Keep the new PIN for this card.")


class OperatorRequest(Request):
    """The one operator to register with."""

    plmn: Annotated[str, Field(pattern=r"^[0-9]{5,6}$", examples=["00101"])] | None = Field(
        description="MCC and MNC; null lets the modem choose again."
    )
