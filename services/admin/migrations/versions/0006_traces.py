"""An event knows the trace it was announced in."""

from chassis.migrations import remember_traces

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    remember_traces("outbox")
