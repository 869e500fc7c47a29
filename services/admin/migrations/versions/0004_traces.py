"""An event knows the trace it was announced in."""

from chassis.migrations import remember_traces

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    remember_traces("outbox")
