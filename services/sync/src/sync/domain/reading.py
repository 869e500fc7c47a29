"""What one page of a list brought, ready to be kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sync.domain.clinic import Json, Page
from sync.domain.mapping import Mapped, Rejected, map_page
from sync.domain.plan import Walk
from sync.domain.values import identity


@dataclass(frozen=True)
class Reading:
    """Page `number` of a walk. Its ids are apart by whether a row is older than the run or came since."""

    walk: Walk
    number: int
    rows: int
    total: int
    ids: list[str]
    late: list[str]
    records: list[str] | None
    """Ids of the records its rows led to, where those are not the rows themselves."""
    mapped: list[Mapped]
    rejected: list[Rejected]
    newest: datetime | None
    """The latest time in the column that was asked for."""
    position: str | None = None
    """Where the walk goes on after this page, if not with the next number."""


def read_page(
    walk: Walk,
    number: int,
    page: Page,
    began: datetime | None,
    *,
    column: str = "updated_at",
    position: str | None = None,
    expanded: Sequence[Json] | None = None,
) -> Reading:
    """`began`: when the run did, by Cliniko's clock. `expanded`: the rows that this page's rows led to."""
    rows = [row for row in page.rows if isinstance(row, dict)]
    mapped, rejected = map_page(rows if expanded is None else expanded, walk.kind.read)
    late = {identity(row) for row in rows if is_after(row.get("created_at"), began)}
    return Reading(
        walk=walk,
        number=number,
        rows=len(page.rows),
        total=page.total,
        ids=[row_id for row in rows if (row_id := identity(row)) not in late],
        late=sorted(late),
        records=None if expanded is None else [identity(row) for row in expanded],
        mapped=mapped,
        rejected=rejected,
        newest=max(moments(rows, column), default=None),
        position=position,
    )


def moments(rows: Sequence[Json], column: str) -> list[datetime]:
    """The times in a column, in whole seconds as Cliniko shows and filters them; rows without one are passed over."""
    found = (moment(row.get(column)) for row in rows)
    return [one.replace(microsecond=0) for one in found if one is not None]


def moment(value: object) -> datetime | None:
    """A time of Cliniko's; None for what is none."""
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
        return parsed.astimezone(UTC) if parsed and parsed.tzinfo else None
    except (ValueError, OverflowError):
        return None


def is_after(value: object, began: datetime | None) -> bool:
    """True for a time after `began`."""
    created = moment(value)
    return created is not None and began is not None and created > began
