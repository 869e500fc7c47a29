"""Times at which a practitioner takes no bookings."""

from collections.abc import Iterable
from random import Random

from cliniko_emulator.records import Practitioner, UnavailableBlock
from cliniko_emulator.world.ids import DAY, Ids

_AN_HOUR = 3_600
_WEEKS = range(-2, 3)


def blocks(rng: Random, practitioners: Iterable[Practitioner], ids: Ids, anchor: int) -> list[UnavailableBlock]:
    """One a week for each practitioner, some weeks back and ahead."""
    made = []
    for practitioner in practitioners:
        for week in _WEEKS:
            starts_at = anchor + week * 7 * DAY + rng.randrange(5) * DAY + 2 * _AN_HOUR
            made.append(
                UnavailableBlock(
                    id=ids.issue(60),
                    created_at=anchor - 60 * DAY,
                    updated_at=anchor - 60 * DAY,
                    starts_at=starts_at,
                    ends_at=starts_at + _AN_HOUR,
                    practitioner_id=practitioner.id,
                    notes=rng.choice((None, "Team meeting")),
                )
            )
    return made
