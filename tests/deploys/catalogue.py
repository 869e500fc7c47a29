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
CONSTRAINTS = """
    SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace::regnamespace::text = ANY($1)
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

    @classmethod
    async def read(cls, url: str, schemas: list[str]) -> "Catalogue":
        """As the owner of the database sees it."""
        owner = await asyncpg.connect(url)
        try:
            columns = {name: Column(*rest) for name, *rest in await owner.fetch(COLUMNS, schemas)}
            functions = dict(await owner.fetch(FUNCTIONS, schemas))
            constraints = frozenset(rule for (rule,) in await owner.fetch(CONSTRAINTS, schemas))
        finally:
            await owner.close()
        return cls(columns, functions, constraints)

    @property
    def tables(self) -> set[str]:
        return {name.rpartition(".")[0] for name in self.columns}

    def taken_by(self, newer: "Catalogue") -> set[str]:
        """Columns, functions and freedoms that code written for this schema would miss in the newer one."""
        missing = self.columns.keys() - newer.columns.keys() | self.functions.keys() - newer.functions.keys()
        changed = {name for name, result in self.functions.items() if newer.functions.get(name, result) != result}
        tightened = {name for name, column in newer.columns.items() if self._cannot_be_met(name, column)}
        rules = {rule for rule in newer.constraints - self.constraints if rule.partition(" ")[0] in self.tables}
        return missing | changed | tightened | rules

    def _cannot_be_met(self, name: str, newer: Column) -> bool:
        """Of a column as it is now, by code that knows it as it was, or not at all."""
        older = self.columns.get(name)
        if older is None:
            return name.rpartition(".")[0] in self.tables and newer.required and not newer.filled
        return (
            older.kind != newer.kind or (newer.required and not older.required) or (older.filled and not newer.filled)
        )
