"""What readers go by: where patients stood in the list before they moved, and whether anything has changed."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0004"
down_revision = "0003"

# A walk through a list shows everybody where they stood when it began: at the oldest place they left in a transaction
# which the walk's first page did not see. Moves of one document are numbered in their order, for its row was locked.
FORMER_PLACES = """
    CREATE TABLE former_places (
        organization_id text COLLATE "C" NOT NULL,
        moved_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
        id bigint GENERATED ALWAYS AS IDENTITY,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        moved_at timestamptz NOT NULL DEFAULT now(),
        next_order bigint NOT NULL,
        recency bigint NOT NULL,
        name_order text COLLATE "C" NOT NULL,
        PRIMARY KEY (organization_id, moved_in, id)
    )
"""
NOTE_MOVE = """
    CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO patients.former_places (organization_id, cliniko_patient_id, next_order, recency, name_order)
        VALUES (OLD.organization_id, OLD.cliniko_patient_id, OLD.next_order, OLD.recency, OLD.name_order);
        RETURN NULL;
    END $$
"""
# Whoever writes, the service or the tables' owner who restores them, has a search path of their own.
ON_MOVE = """
    CREATE TRIGGER on_move AFTER UPDATE ON patient_documents FOR EACH ROW
    WHEN (OLD.listed AND (OLD.next_order, OLD.recency, OLD.name_order)
          IS DISTINCT FROM (NEW.next_order, NEW.recency, NEW.name_order))
    EXECUTE FUNCTION note_move()
"""

# Whoever changes what is read adds a row, so that none waits for another; the sum is the version of a clinic's lists.
# The weights are random, so that a database that was restored or built anew does not repeat a version.
CHANGES = """
    CREATE TABLE changes (
        organization_id text COLLATE "C" NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        weight bigint NOT NULL DEFAULT 1 + floor(random() * 2147483648),
        PRIMARY KEY (organization_id, id)
    )
"""
NOTE_CHANGE = """
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO patients.changes (organization_id)
        SELECT organization_id FROM current_setting('routiq.organization_id', true) AS organization_id
        WHERE organization_id <> '';  -- without one, row-level security has let nothing change
        RETURN NULL;
    END $$
"""
ON_CHANGE = """
    CREATE TRIGGER on_change AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT
    EXECUTE FUNCTION note_change()
"""

# For all clinics at once, hence as the tables' owner. A walk lasts an hour at most.
TIDY_READING = """
    CREATE FUNCTION tidy_reading() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = patients, pg_temp
    BEGIN ATOMIC
        DELETE FROM former_places WHERE moved_at < now() - interval '2 hours';
        WITH gathered AS (
            DELETE FROM changes WHERE organization_id IN (
                SELECT organization_id FROM changes GROUP BY organization_id HAVING count(*) > 1
            )
            RETURNING organization_id, weight
        )
        INSERT INTO changes (organization_id, weight)
        SELECT organization_id, sum(weight) FROM gathered GROUP BY organization_id;
    END
"""


def upgrade() -> None:
    for statement in (FORMER_PLACES, NOTE_MOVE, ON_MOVE, CHANGES, NOTE_CHANGE):
        op.execute(statement)
    for table in ("patient_documents", "last_runs"):
        op.execute(ON_CHANGE.format(table=table))
    separate_tenants("former_places", "changes")
    op.execute(TIDY_READING)
    op.execute("REVOKE ALL ON FUNCTION tidy_reading FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION tidy_reading TO routiq_patients")
