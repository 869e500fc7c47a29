"""Who is shown patients' records."""

from dataclasses import dataclass

from contracts.events import Role


@dataclass(frozen=True)
class Reader:
    """A person, as the gateway vouches for them, in one request."""

    user_id: str
    role: Role
    impersonator: str | None
    """Who acts in this person's name."""
    request_id: str | None
    route: str
    """Its template: the address itself may say what was looked for."""
