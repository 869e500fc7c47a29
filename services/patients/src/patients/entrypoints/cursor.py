"""A position in a list as a text that clients hand back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, TypeAdapter
from pydantic_core import to_json

from patients.domain.listing import Position

_Bigint = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_Storable = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_POSITION = TypeAdapter(tuple[_Bigint, _Bigint, _Storable, UUID])


def cursor(position: Position) -> str:
    return urlsafe_b64encode(to_json(position)).decode()


def position(cursor: str) -> Position:
    """Raises ValueError for a text that `cursor` did not make."""
    return Position(*_POSITION.validate_json(urlsafe_b64decode(cursor.encode())))
