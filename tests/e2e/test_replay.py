"""A service that has lost its records gets them back from what the sync service has landed."""

from tests.conftest import HARBOUR, System


def test_saying_everything_again_changes_nothing_that_a_clinic_sees(system: System) -> None:
    path = f"/api/v1/patients/{HARBOUR}/patients"
    before = system.get(path, HARBOUR)
    said = system.command("replay", HARBOUR, "--to", "patients").stdout
    assert said.endswith("records are on their way to patients.\n")
    assert int(said.split()[0]) > before["total_count"]
    after = system.get(path, HARBOUR)
    assert after["patients"] == before["patients"]
    assert system.command("replay", HARBOUR, "--to", "nobody", check=False).returncode == 2


def test_a_clinic_that_is_not_there_has_nothing_to_say(system: System) -> None:
    assert system.command("replay", "org_nowhere").stdout == "0 records are on their way to every service.\n"
