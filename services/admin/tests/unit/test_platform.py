import pytest

from admin.domain.platform import PlatformFigures


@pytest.mark.parametrize(
    ("connections", "healthy", "status"),
    [(5, 5, "operational"), (5, 4, "degraded"), (5, 1, "degraded"), (5, 0, "down"), (0, 0, "not_configured")],
)
def test_cliniko_is_as_well_as_its_connections(connections: int, healthy: int, status: str) -> None:
    figures = PlatformFigures(
        total_organizations=7,
        total_patients=0,
        active_patients=0,
        total_connections=connections,
        healthy_connections=healthy,
    )
    assert figures.cliniko_status == status
