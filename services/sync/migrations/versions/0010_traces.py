"""An event knows the trace it was announced in, and a run the one it was started in."""

from chassis.migrations import remember_traces

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    remember_traces("outbox")
    remember_traces("runs")
