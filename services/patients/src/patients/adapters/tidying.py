"""What readers no longer go by is dropped, for all clinics at once."""

from sqlalchemy import text

from chassis.database import Database

_TIDY = text("SELECT tidy_reading()")


async def tidy(database: Database) -> None:
    """Former places that no walk can ask for any more go; the changes of a clinic become one row of the same sum."""
    async with database.transaction() as connection:
        await connection.execute(_TIDY)
