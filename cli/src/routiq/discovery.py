"""Which servers this run uses: a given address, else what the machine has, else what we bring."""

from routiq.accounts import unprivileged
from routiq.failures import ReportedError
from routiq.plan import Servers
from routiq.ports import free_port
from routiq.servers import binaries, embedded_broker, rabbitmq
from routiq.servers.embedded_broker import EmbeddedBroker
from routiq.servers.postgres import Postgres
from routiq.servers.rabbitmq import RabbitMQ
from routiq.settings import Settings
from routiq.state import Secrets, StateDirectory


def find(settings: Settings, secrets: Secrets, state: StateDirectory) -> Servers:
    return Servers(
        postgres=None if "DATABASE_URL" in settings.given else _postgres(settings, secrets, state),
        broker=None if "AMQP_URL" in settings.given else _broker(settings, secrets, state),
    )


def _postgres(settings: Settings, secrets: Secrets, state: StateDirectory) -> Postgres:
    home, account = state.path / "postgres", unprivileged()
    found = binaries.within_reach(binaries.find(home, account, settings.postgres), account, home)
    return Postgres(found, home, settings.ports["postgres"], secrets.owner_password, account)


def _broker(settings: Settings, secrets: Secrets, state: StateDirectory) -> RabbitMQ | EmbeddedBroker:
    port, password = settings.ports["broker"], secrets.broker_password
    installed = None if settings.broker == "embedded" else rabbitmq.find()
    if installed:
        return RabbitMQ(installed, state.path / "rabbitmq", port, free_port(), free_port(), password)
    if settings.broker == "installed":
        raise ReportedError("ROUTIQ_BROKER=installed, but there is no rabbitmq-server on this machine.")
    return EmbeddedBroker(state.path / "broker.sqlite", port, password)


def describe_postgres(servers: Servers) -> str:
    return str(servers.postgres.binaries) if servers.postgres else "PostgreSQL of DATABASE_URL"


def describe_broker(servers: Servers) -> str:
    match servers.broker:
        case RabbitMQ() as private:
            return str(private.installation)
        case EmbeddedBroker():
            return embedded_broker.DESCRIPTION
        case None:
            return "broker of AMQP_URL"
