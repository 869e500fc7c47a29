"""Marked names, phones, e-mails, notes and keys, and every way through the system on which they might get out."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import asyncpg
import httpx
from tests.collector import Collector
from tests.conftest import HARBOUR, KEYS, System

NAME, MAIL, PHONE, NOTES = "Quicksilvername", "quicksilvermail@example.org", "+61499733704", "quicksilvernotes"
KEY, TOKEN, ASKED = "MS0-quicksilverkey-au4", "quicksilvertoken", "quicksilverasked"
MARKS = ("quicksilver", "499733704", "UXVpY2tzaWx2ZX", "TVMwLXF1aWNrc2lsdmVya2V5")
"""Parts that all of them have, as they are and as base64, in small letters or as they stand."""
SECRET_QUEUE = "patients.sync.patients.synced.v1"
PHONES = [{"phone_type": "Mobile", "number": PHONE, "normalized_number": PHONE}]
PERSON = {"first_name": NAME, "last_name": NAME, "email": MAIL, "patient_phone_numbers": PHONES}
PATIENTS = f"/api/v1/patients/{HARBOUR}/patients"
PATIENCE_SECONDS = 60.0
REFUSE = """
    CREATE FUNCTION patients.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE 'refused' USING ERRCODE = 'check_violation', DETAIL = format('Failing row contains (%s).', NEW.name);
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON patients.patients FOR EACH ROW EXECUTE FUNCTION patients.refuse();
"""
"""As a constraint says it of tables without row-level security."""


def marks_in(text: str) -> list[str]:
    """Where a mark stands in it, with what is around."""
    low = text.lower()
    found = [low.find(mark.lower()) if mark.islower() else text.find(mark) for mark in MARKS]
    return [text[max(0, at - 120) : at + 60] for at in found if at >= 0]


@dataclass
class Clinic:
    """A clinic full of marks, and what the system said on the ways they went."""

    system: System
    collector: Collector
    answers: list[str] = field(default_factory=list)
    """To requests whose marks came from the one who asked, without the path, which they are told again."""
    dead_letters: list[str] = field(default_factory=list)
    """Properties and headers of what was laid aside."""

    def mark(self) -> None:
        """From now on people of the clinic bear marks, and its key is one."""
        self.control("changes", change="update", clinic=KEYS[HARBOUR], count=20, values=PERSON)
        diary = {"resource": "individual_appointments", "values": {"notes": NOTES}}
        self.control("changes", change="update", clinic=KEYS[HARBOUR], count=20, **diary)
        self.control("changes", change="add_key", clinic=KEYS[HARBOUR], key=KEY)
        self.system.connect(HARBOUR, KEY)

    def control(self, what: str, **content: Any) -> None:
        answer = httpx.post(f"{self.system.cliniko}/_control/{what}", json=content)
        assert answer.is_success, answer.text

    def sync(self) -> None:
        self.system.until_completed(HARBOUR, self.system.start_sync(HARBOUR))

    def shown(self) -> str:
        """A list as a member of the clinic sees it: here the marks belong."""
        return self.system.call("GET", f"{PATIENTS}?search={NAME}", HARBOUR).raise_for_status().text

    def ask(self, method: str, path: str, status: int | tuple[int, ...], **options: Any) -> httpx.Response:
        """A request whose answer must have this status, and bear no mark."""
        answer = self.system.call(method, path, HARBOUR, **options)
        assert answer.status_code in ((status,) if isinstance(status, int) else status), answer.text
        self.answers.append(f"{answer.headers} {answer.text}".replace(path.partition("?")[0], ""))
        return answer

    def be_refused(self) -> None:
        """Requests that are wrong, each with marks wherever one can put them."""
        connection = f"/api/v1/cliniko/connection/{HARBOUR}"
        self.ask("GET", f"{PATIENTS}?limit={ASKED}&search={NAME}", 400)
        self.ask("GET", f"{PATIENTS}?cursor={ASKED}", 400)
        self.ask("GET", f"/api/v1/patients/org_{ASKED}/patients", (403, 404))
        self.ask("GET", f"/api/v1/nowhere?q={NAME}&email={MAIL}", (403, 404))
        self.ask("GET", f"/api/v1/sync/progress/nothing?q={ASKED}", 404)
        self.ask("PUT", connection, 400, json={"api_key": [KEY]})
        self.ask("PUT", connection, 400, json={"api_key": f"{KEY} é {NAME}"})
        self.ask("PUT", connection, 400, content=f'{{"api_key": "{KEY}'.encode())
        self.ask("PUT", connection, 400, json={"api_key": f"{KEY[:-4]}-and-more-au4"})
        everywhere = {"x-request-id": NAME, "x-organization-id": ASKED, "user-agent": MAIL, "cookie": f"n={NAME}"}
        traces = {"tracestate": f"a={ASKED}", "baggage": f"patient={NAME}", "traceparent": f"00-{NAME}"}
        self.ask("GET", PATIENTS, (400, 403), headers={**everywhere, **traces})
        self.ask("GET", "/api/v1/auth/verify", 200, headers={**traces, "x-request-id": NAME})
        self.ask("GET", PATIENTS, 401, headers={"authorization": f"Bearer {TOKEN}.{TOKEN}.{TOKEN}"})
        self._say(f"GET /{NAME} HTTP/1.1\r\nHost: x\r\n{NAME}: {MAIL}\r\n bad folding {ASKED}\r\n\r\n")
        self._say(f"{NAME} nonsense {MAIL}\r\n\r\n")

    def _say(self, what: str) -> None:
        """No request at all."""
        with socket.create_connection(("127.0.0.1", int(self.system.environment["PORT"]))) as connection:
            connection.sendall(what.encode())
            connection.settimeout(5)
            self.answers.append(connection.recv(65536).decode(errors="replace"))

    def upset_cliniko(self) -> None:
        """Cliniko refuses in marked words, and sends rows that cannot be understood."""
        content = {"message": f"{NAME} {MAIL}", "errors": {NAME: ASKED}}
        for status in (401, 403, 422, 500):
            self.control("faults", effect="status", status=status, content=content, path="user", times=1)
            self.ask("GET", f"/api/v1/cliniko/test-connection/{HARBOUR}", 200)
        odd = {"effect": "records", "values": {"id": NAME, "created_at": ASKED}, "path": "patients", "times": 1}
        self.control("faults", **odd)
        self.control("faults", effect="status", status=422, content=content, path="individual_appointments", times=1)
        self._until_failed(self.system.start_sync(HARBOUR))
        httpx.delete(f"{self.system.cliniko}/_control/faults").raise_for_status()
        self.system.connect(HARBOUR, KEY)  # it was refused once, and believed

    def _until_failed(self, sync_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._progress(sync_id)["status"] != "failed":
            assert time.monotonic() < deadline
            time.sleep(0.3)

    def _progress(self, sync_id: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/api/v1/sync/progress/{sync_id}", 200).json())

    async def upset_database(self) -> None:
        """The database refuses rows, and quotes them; it refuses a question, whose parameters the driver knows."""
        async with self._owner() as owner:
            await owner.execute(REFUSE)
            self.control("changes", change="update", clinic=KEYS[HARBOUR], count=0, values={**PERSON, "notes": "a"})
            sync_id = self.system.start_sync(HARBOUR)
            self._until_logged("patients", "23514")
            await owner.execute("DROP FUNCTION patients.refuse CASCADE")
            self.system.until_completed(HARBOUR, sync_id)
            await owner.execute("REVOKE SELECT ON patients.patient_documents FROM routiq_patients")
            self.ask("GET", f"{PATIENTS}?search={NAME}", 500)
            await owner.execute("GRANT SELECT ON patients.patient_documents TO routiq_patients")

    def kill_a_consumer(self) -> None:
        """It dies with marked pages at hand."""
        self.control("changes", change="update", clinic=KEYS[HARBOUR], count=0, values=PERSON)
        sync_id = self.system.start_sync(HARBOUR)
        os.kill(int(self.system.process("patients")["pid"]["number"]), signal.SIGKILL)
        self.system.until_completed(HARBOUR, sync_id)
        self.system.until_ready()

    async def poison(self) -> None:
        """Messages that are none, full of marks; what is written on them when they are laid aside."""
        row = {"event_id": NAME, "organization_id": f"org {NAME}", "request_id": ASKED, "records": [PERSON]}
        bodies = (json.dumps(row).encode(), f"{{{NAME}".encode(), json.dumps({**row, "records": NAME}).encode())
        connection = await aio_pika.connect(self.system.broker_url)
        async with connection:
            channel = await connection.channel()
            events = await channel.get_exchange("events")
            headers: dict[str, Any] = {"traceparent": NAME, "x-name": NAME}
            for body in bodies:
                await events.publish(aio_pika.Message(body, headers=headers), "sync.patients.synced.v1")
            dead = await channel.get_queue(f"{SECRET_QUEUE}.dead")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(self.dead_letters) < len(bodies):
                assert time.monotonic() < deadline
                if message := await dead.get(fail=False):
                    self.dead_letters.append(str(message.info()))
                    await message.ack()

    def metrics(self) -> Iterator[str]:
        """Of every process that has some."""
        for port in ("PORT", "PATIENTS_PORT", "SYNC_PORT", "ANALYTICS_PORT", "ADMIN_PORT"):
            yield httpx.get(f"http://127.0.0.1:{self.system.environment[port]}/metrics").raise_for_status().text

    def logs(self) -> dict[str, str]:
        """Of every process, by its name."""
        kept = (self.system.home / ".routiq" / "logs").glob("*.log*")
        return {log.name: log.read_text(errors="replace") for log in kept}

    def _until_logged(self, service: str, word: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while word not in self.logs()[f"{service}.log"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def _owner(self) -> Any:
        return asyncpg.create_pool(self.system.owner_url, min_size=1, max_size=1)
