"""What was announced in a time that a restore has undone is not listened to."""

from chassis.migrations import remember_undone_times

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    remember_undone_times()
