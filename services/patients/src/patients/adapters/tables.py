"""The columns the lists are made of; the migrations create the tables."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, Table, Text, Uuid

metadata = MetaData()

patient_documents = Table(
    "patient_documents",
    metadata,
    Column("organization_id", Text),
    Column("cliniko_patient_id", Text),
    Column("patient_id", Uuid),
    Column("listed", Boolean),
    Column("active", Boolean),
    Column("next_at", DateTime(timezone=True)),
    Column("next_order", BigInteger),
    Column("recency", BigInteger),
    Column("name_order", Text),
    Column("next_type", Text),
    Column("primary_type", Text),
    Column("search_text", Text),
    Column("changed_at", DateTime(timezone=True)),
    Column("document", Text),
    Column("document_end", Text),
)

last_runs = Table(
    "last_runs",
    metadata,
    Column("organization_id", Text),
    Column("full_sweep_at", DateTime(timezone=True)),
)
