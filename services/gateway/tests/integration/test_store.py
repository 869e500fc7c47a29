"""The store in which gateways count: what one connection to it promises, and what happens when the store does not."""

import asyncio
import signal
import socket
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from services.gateway.tests.stores import StartServer, answers, connected, until

from gateway.adapters.limits import Limits
from gateway.adapters.valkey import Address, Valkey
from gateway.domain.limits import API, Tier

PASSWORD = "p@ss/word"
THREE = Tier("three", 3)


async def test_all_replicas_name_the_same_end_of_the_window(start_server: StartServer) -> None:
    url, started = start_server().url, time.time()
    async with connected(url) as one, connected(url) as other:
        quotas = []
        for store in (one, other) * 10:
            quotas.append(await Limits(store).count(API, "client"))
            await asyncio.sleep(0.06)
    assert {quota.reset for quota in quotas} == {quotas[0].reset}
    assert [quota.remaining for quota in quotas] == list(range(999, 979, -1))
    assert started + 899 <= quotas[0].reset <= time.time() + 900


async def test_looking_costs_nothing_and_opens_no_window(start_server: StartServer) -> None:
    async with connected(start_server().url) as store:
        limits = Limits(store)
        assert (await limits.peek(THREE, "client")).remaining == 3
        await limits.count(THREE, "client")
        seen = [await limits.peek(THREE, "client") for _ in range(2)]
        assert [quota.remaining for quota in seen] == [2, 2]
        assert seen[0].reset == (await limits.count(THREE, "client")).reset


async def test_a_window_is_gone_on_with_while_the_store_is_away(start_server: StartServer) -> None:
    server = start_server()
    async with connected(server.url) as store:
        limits = Limits(store)
        before = [await limits.count(THREE, "client") for _ in range(3)]
        server.kill()
        after = await limits.count(THREE, "client")
        assert (after.exceeded, after.reset) == (True, before[0].reset)
        assert not (await limits.count(THREE, "other")).exceeded


async def test_a_store_that_hangs_is_given_up_soon(start_server: StartServer) -> None:
    server = start_server()
    async with connected(server.url) as store:
        server.signal(signal.SIGSTOP)
        async with asyncio.timeout(2):
            quotas = await asyncio.gather(*(Limits(store).count(THREE, f"{n}") for n in range(100)))
        assert all(quota.remaining == 2 for quota in quotas)
        server.signal(signal.SIGCONT)
        await until(lambda: answers(store))


async def test_a_store_that_forgot_the_script_is_told_again(start_server: StartServer) -> None:
    server = start_server()
    async with connected(server.url) as store:
        limits = Limits(store)
        await limits.count(THREE, "client")
        server.command("SCRIPT", "FLUSH")
        assert [(await limits.count(THREE, "client")).remaining for _ in range(2)] == [1, 0]


async def test_a_store_that_refuses_to_write_costs_the_sharing_only(start_server: StartServer) -> None:
    server = start_server()
    async with connected(server.url) as store:
        server.command("CONFIG", "SET", "maxmemory", "1")
        assert [(await Limits(store).count(THREE, "client")).remaining for _ in range(2)] == [2, 2]


async def test_password_and_database_of_the_address_are_used(start_server: StartServer) -> None:
    server = start_server("--requirepass", PASSWORD)
    address = f"127.0.0.1:{server.port}"
    async with (
        connected(f"redis://:p%40ss%2Fword@{address}/3") as third,
        connected(f"redis://default:p%40ss%2Fword@{address}") as first,
    ):
        await Limits(third).count(THREE, "client")
        assert (await Limits(third).peek(THREE, "client")).remaining == 2
        assert (await Limits(first).peek(THREE, "client")).remaining == 3
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), connected(f"redis://:wrong@{address}"):
            pass


async def test_a_store_is_reached_encrypted(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = certified(tmp_path)
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start_server("--port", "0", "--tls-port", str(port), *files)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with connected(f"rediss://localhost:{port}") as store:
        assert (await Limits(store).count(THREE, "client")).remaining == 2
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), connected(f"rediss://localhost:{port}"):
            pass


def certified(directory: Path) -> tuple[Path, Path]:
    """A certificate of its own for localhost, and its key."""
    key, name = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return directory / "cert.pem", directory / "key.pem"


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n+OK\r\n:1\r\n", b""])
async def test_what_is_no_store_is_not_believed(reply: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply)
        writer.close()

    async with AsyncExitStack() as servers:
        server = await servers.enter_async_context(await asyncio.start_server(serve, "127.0.0.1", 0))
        store = Valkey(Address.parse(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        task = asyncio.create_task(store.stay_connected())
        for _ in range(20):
            assert (await Limits(store).count(THREE, "client")).remaining == 2
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://localhost", "redis://", "redis://h/x", "redis://h:port"])
def test_an_address_that_cannot_be_read_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the store's address is not"):
        Address.parse(url)
