"""What answers have in common."""

from typing import Literal

from pydantic import BaseModel

from contracts.timestamps import Moment


class Done(BaseModel):
    """What was asked for has been done."""

    success: Literal[True] = True
    message: str
    organization_id: str
    timestamp: Moment
