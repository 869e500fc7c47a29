"""A position in the list of patients at risk, as a text that clients hand back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from pydantic import Field, TypeAdapter
from pydantic_core import to_json

from analytics.domain.retention import Position
from contracts.base import ClinikoId, Instant

_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=0, le=9)], Instant, ClinikoId])


def cursor(position: Position) -> str:
    return urlsafe_b64encode(to_json((position.rank, position.last_visit_at, position.cliniko_patient_id))).decode()


def position(cursor: str) -> Position:
    """Raises ValueError for a text that `cursor` did not make."""
    return Position(*_POSITION.validate_json(urlsafe_b64decode(cursor.encode())))
