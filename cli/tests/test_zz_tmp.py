import asyncpg
async def test_db(new_database):
    a, b = await new_database("patients"), await new_database("sync")
    c = await asyncpg.connect(a)
    assert await c.fetchval("select current_user") == "routiq_patients"
    print(await c.fetch("select schemaname, tablename from pg_tables where schemaname='patients'"))
    await c.close()
    assert a.rpartition("/")[2] != b.rpartition("/")[2]
async def test_b(broker): pass
