"""Everything that was stored is dropped, brought back from a backup, and made to agree with Cliniko again."""

import json
import shutil
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import System
from tests.faults.practice import Practice
from tests.recovery.steps import back_up, erase, history, ids, lose_the_queues, restore, until_figures_count

from routiq.plan import WITH_A_DATABASE
from routiq.recovery.restore import APART

pytestmark = pytest.mark.e2e

SECRET_LENGTH = 20
APPLIED = """
    SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attname = 'organization_id' AND relkind = 'r'
    AND relnamespace::regnamespace::text IN ('patients', 'analytics')
"""
MOVED_LATE = """
    INSERT INTO patients.former_places (organization_id, cliniko_patient_id, moved_in, next_order, recency, name_order)
    VALUES ($1, '1', '1000000000'::xid8, 0, 0, '')
"""
MOVED_IN_FUTURE = "SELECT count(*) FROM patients.former_places WHERE moved_in > pg_current_xact_id()"


def test_what_was_lost_comes_back_and_whoever_was_erased_does_not(
    damaged: System, clinics: tuple[Practice, Practice]
) -> None:
    erasing, changing = clinics
    forgotten, forgotten_later = erasing.patients()["patients"][:2]
    erase(erasing, forgotten)
    runs = history(changing)
    place = back_up(damaged)
    erase(erasing, forgotten_later)
    changing.change("update", count=0, values={"first_name": "New"})
    changing.change("archive", count=10)
    changing.run()

    lose_the_queues(damaged)
    said = restore(damaged, place)
    assert "1 patients who were erased after the backup were erased again" in said
    damaged.command("up", "--detach")
    assert history(changing) == runs
    assert ids(erasing).isdisjoint({forgotten["id"], forgotten_later["id"]})
    for practice in clinics:
        damaged.command("replay", practice.organization)
        practice.run()
    changing.agrees()
    assert ids(erasing).isdisjoint({forgotten["id"], forgotten_later["id"]})
    until_figures_count(erasing, len(ids(erasing)))
    assert "whole" in damaged.command("audit", "verify").stdout


async def test_what_was_landed_and_not_yet_applied_comes_back_by_being_said_again(
    damaged: System, clinics: tuple[Practice, Practice]
) -> None:
    _, changing = clinics
    changing.run()
    known = ids(changing)
    await _take_back_what_was_applied(damaged, changing.organization)
    place = back_up(damaged)
    lose_the_queues(damaged)
    restore(damaged, place)
    damaged.command("up", "--detach")
    assert not ids(changing)
    damaged.command("replay", changing.organization)
    until_figures_count(changing, len(known))
    changing.agrees()


async def test_each_service_is_kept_to_its_own_again(damaged: System, clinics: tuple[Practice, Practice]) -> None:
    place = back_up(damaged)
    damaged.command("down")
    restore(damaged, place)
    damaged.command("up", "--detach")
    for name in WITH_A_DATABASE:
        password = damaged.secrets["role_passwords"][name]
        url = damaged.owner_url.replace(f"routiq:{damaged.secrets['owner_password']}", f"routiq_{name}:{password}")
        connection = await asyncpg.connect(url)
        try:
            assert await connection.fetchval(f"SELECT count(*) FROM {name}.outbox") >= 0
            other = "sync" if name != "sync" else "patients"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetchval(f"SELECT count(*) FROM {other}.outbox")
        finally:
            await connection.close()
    password = damaged.secrets["role_passwords"]["patients"]
    url = damaged.owner_url.replace(f"routiq:{damaged.secrets['owner_password']}", f"routiq_patients:{password}")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM patients.patients") == 0, "without a tenant nothing is seen"
    await connection.execute("SELECT set_config('routiq.organization_id', $1, false)", clinics[1].organization)
    assert await connection.fetchval("SELECT count(*) FROM patients.patients") > 0
    everybody = "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
    assert not await connection.fetchval(everybody)
    await connection.close()


@pytest.mark.parametrize("begun_anew", [False, True])
async def test_everything_comes_back_where_nothing_is_left_of_the_database(
    damaged: System, clinics: tuple[Practice, Practice], begun_anew: bool
) -> None:
    erasing, changing = clinics
    changing.run()
    known = ids(erasing)  # without those who were erased before
    owner = await asyncpg.connect(damaged.owner_url)
    await owner.execute(MOVED_LATE, erasing.organization)
    await owner.close()
    place = back_up(damaged)
    changing.change("update", count=0, values={"first_name": "Newer"})
    erase(erasing, erasing.patients()["patients"][0])  # comes back, which the operator is told
    lose_the_queues(damaged)
    shutil.rmtree(damaged.home / ".routiq" / "postgres")
    if begun_anew:
        damaged.command("up", "--detach")
        owner = await asyncpg.connect(damaged.owner_url)
        await owner.execute("SELECT setval('sync.landing_sequence', $1)", 10 * APART)  # further on, by another way
        await owner.close()
        damaged.command("down")
    assert "have the clinics erase them again" in restore(damaged, place)
    damaged.command("up", "--detach")
    for practice in clinics:
        damaged.command("replay", practice.organization)
        practice.run()
    changing.agrees()
    assert ids(erasing) == known
    owner = await asyncpg.connect(damaged.owner_url)
    assert await owner.fetchval(MOVED_IN_FUTURE) == 0, "this server has not come so far"
    await owner.close()


@pytest.mark.parametrize("damage", ["flipped", "shortened", "newer", "no backup"])
def test_what_is_no_whole_backup_of_this_release_is_refused(damaged: System, tmp_path: Path, damage: str) -> None:
    place = tmp_path / "backup"
    shutil.copytree(back_up(damaged), place)
    dump, manifest = place / "database.dump", place / "manifest.json"
    content = dump.read_bytes()
    match damage:
        case "flipped":
            dump.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
        case "shortened":
            dump.write_bytes(content[:-1])
        case "newer":
            known = json.loads(manifest.read_text())
            manifest.write_text(json.dumps({**known, "revisions": {**known["revisions"], "sync": "9999"}}))
        case _:
            manifest.unlink()
    before = damaged.get("/api/v1/auth/verify", "org_erasing")["organization_id"]
    damaged.command("down")
    refused = damaged.command("restore", str(place), check=False)
    damaged.command("up", "--detach")
    words = {"flipped": "damaged", "shortened": "damaged", "newer": "made by a newer one", "no backup": "is no backup"}
    assert refused.returncode == 1
    assert words[damage] in refused.stderr
    assert damaged.get("/api/v1/auth/verify", "org_erasing")["organization_id"] == before


async def test_versions_go_on_above_those_of_what_is_replaced(damaged: System) -> None:
    place = back_up(damaged)
    seen = []
    for _ in range(2):
        damaged.command("down")
        restore(damaged, place)
        damaged.command("up", "--detach")
        owner = await asyncpg.connect(damaged.owner_url)
        seen.append(await owner.fetchval("SELECT last_value FROM sync.landing_sequence"))
        await owner.close()
    assert seen[1] >= seen[0] + APART


def test_nothing_is_restored_under_a_running_system(damaged: System) -> None:
    refused = damaged.command("restore", str(back_up(damaged)), check=False)
    assert (refused.returncode, "Nothing was changed" in refused.stderr) == (1, True)


def test_a_database_that_does_not_answer_is_told_in_a_sentence(damaged: System) -> None:
    elsewhere = System(
        damaged.home, {**damaged.environment, "DATABASE_URL": "postgresql://routiq:x@127.0.0.1:1/routiq"}
    )
    place = back_up(damaged)
    damaged.command("down")
    refused = [elsewhere.command(*words, check=False) for words in (("backup",), ("restore", str(place)))]
    damaged.command("up", "--detach")
    for one in refused:
        assert (one.returncode, "cannot be reached" in one.stderr) == (1, True), one.stderr


def test_a_backup_is_its_owners_alone(damaged: System) -> None:
    place = back_up(damaged)
    assert (place.stat().st_mode & 0o777, (place / "database.dump").stat().st_mode & 0o777) == (0o700, 0o600)
    keys = damaged.secrets["credentials_keys"].partition(":")[2]
    assert keys[:SECRET_LENGTH].encode() not in (place / "database.dump").read_bytes()


async def _take_back_what_was_applied(system: System, organization: str) -> None:
    """As a backup finds it that is made between the two."""
    owner = await asyncpg.connect(system.owner_url)
    for (table,) in await owner.fetch(APPLIED):
        await owner.execute(f"DELETE FROM {table} WHERE organization_id = $1", organization)
    await owner.close()
