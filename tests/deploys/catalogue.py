"""What a schema offers the code that uses it, and what a newer one takes from that code."""

from collections.abc import Mapping
from typing import NamedTuple

import asyncpg

COLUMNS = """
    SELECT table_schema || '.' || table_name || '.' || column_name, udt_name, is_nullable = 'NO',
           column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS'
    FROM information_schema.columns WHERE table_schema = ANY($1) AND table_name <> 'alembic_version'
"""
FUNCTIONS = """
    SELECT p.oid::regprocedure::text, pg_get_function_result(p.oid) FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1)
"""
# Whatever is unique is an index, with or without a constraint; from PostgreSQL 18 on NOT NULL is a constraint too.
CONSTRAINTS = """
    SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace::regnamespace::text = ANY($1) AND contype IN ('c', 'f', 'x')
"""
UNIQUE = """
    SELECT indrelid::regclass::text || ' UNIQUE ' || substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)')
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE indisunique AND relnamespace::regnamespace::text = ANY($1) AND relname <> 'alembic_version'
"""
GRANTS = """
    WITH tables AS (
        SELECT oid, relkind, 'routiq_' || relnamespace::regnamespace::text AS role FROM pg_class
        WHERE relnamespace::regnamespace::text = ANY($1) AND relkind IN ('r', 'p', 'v', 'S')
        AND relname <> 'alembic_version'
    )
    SELECT oid::regclass::text || '.' || attname || ' ' || action FROM tables
    JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS action
    WHERE relkind <> 'S' AND has_column_privilege(role, oid, attnum, action)
    UNION ALL SELECT oid::regclass::text || ' DELETE' FROM tables
    WHERE relkind <> 'S' AND has_table_privilege(role, oid, 'DELETE')
    UNION ALL SELECT oid::regclass::text || ' USAGE' FROM tables
    WHERE relkind = 'S' AND has_sequence_privilege(role, oid, 'USAGE')
    UNION ALL SELECT oid::regprocedure::text || ' EXECUTE' FROM pg_proc
    WHERE pronamespace::regnamespace::text = ANY($1)
    AND has_function_privilege('routiq_' || pronamespace::regnamespace::text, oid, 'EXECUTE')
"""


class Column(NamedTuple):
    kind: str
    required: bool
    filled: bool
    """By the database, where a statement does not name it."""


class Catalogue(NamedTuple):
    columns: Mapping[str, Column]
    functions: Mapping[str, str]
    """What each returns, by its name and arguments."""
    constraints: frozenset[str]
    unique: frozenset[str]
    """What `ON CONFLICT` may name, and what must not be there twice."""
    grants: frozenset[str]
    """Of each schema's service."""

    @classmethod
    async def read(cls, url: str, schemas: list[str]) -> "Catalogue":
        """As the owner of the database sees it."""
        owner = await asyncpg.connect(url)
        try:
            columns = {name: Column(*rest) for name, *rest in await owner.fetch(COLUMNS, schemas)}
            functions = dict(await owner.fetch(FUNCTIONS, schemas))
            rules = [frozenset(row[0] for row in await owner.fetch(q, schemas)) for q in (CONSTRAINTS, UNIQUE, GRANTS)]
        finally:
            await owner.close()
        return cls(columns, functions, *rules)

    @property
    def tables(self) -> set[str]:
        return {name.rpartition(".")[0] for name in self.columns}

    def taken_by(self, newer: "Catalogue") -> set[str]:
        """Columns, functions and freedoms that code written for this schema would miss in the newer one.

        What goes with a column or function that is gone is not told beside it.
        """
        gone = self.columns.keys() - newer.columns.keys() | self.functions.keys() - newer.functions.keys()
        changed = {name for name, result in self.functions.items() if newer.functions.get(name, result) != result}
        tightened = {name for name, column in newer.columns.items() if self._cannot_be_met(name, column)}
        new_rules = newer.constraints - self.constraints | newer.unique - self.unique
        rules = {rule for rule in new_rules if _of(rule) in self.tables}
        lost = {one for one in self.unique - newer.unique if _of(one) in newer.tables}
        refused = {one for one in self.grants - newer.grants if one.rpartition(" ")[0] not in gone}
        return gone | changed | tightened | rules | lost | refused

    def _cannot_be_met(self, name: str, newer: Column) -> bool:
        """Of a column as it is now, by code that knows it as it was, or not at all."""
        older = self.columns.get(name)
        if older is None:
            return name.rpartition(".")[0] in self.tables and newer.required and not newer.filled
        return (
            older.kind != newer.kind or (newer.required and not older.required) or (older.filled and not newer.filled)
        )


def word(taken: str) -> str | None:
    """By which code would name what is taken away; None for a rule or a grant, which it relies on in silence."""
    name = taken.partition("(")[0]
    return None if " " in name else name.rpartition(".")[2]


def _of(rule: str) -> str:
    return rule.partition(" ")[0]
