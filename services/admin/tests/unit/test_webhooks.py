import pytest

from admin.domain.webhooks import TOLERANCE_SECONDS, Delivery, secrets_in
from chassis.errors import Unauthorized

# The example of Svix's own documentation, which is where Clerk's messages come from.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "A" * 40
ID, SENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def check(
    *,
    message_id: str = ID,
    timestamp: str = str(SENT),
    signatures: str = SIGNATURE,
    body: bytes = BODY,
    secrets: str = SECRET,
    now: float = SENT,
) -> None:
    Delivery(message_id, timestamp, signatures, body).check(secrets_in(secrets), now)


def test_what_svix_signs_is_believed() -> None:
    check()


@pytest.mark.parametrize("signatures", [f"v1,wrong {SIGNATURE}", f"{SIGNATURE} v1,wrong", f"v1a,x {SIGNATURE} v2,y"])
def test_one_right_signature_of_several_suffices(signatures: str) -> None:
    check(signatures=signatures)


@pytest.mark.parametrize("secrets", [f"{SECRET}, {OTHER}", f"{OTHER},{SECRET}", SECRET.removeprefix("whsec_")])
def test_while_the_secret_is_exchanged_either_will_do(secrets: str) -> None:
    check(secrets=secrets)


@pytest.mark.parametrize(
    "damage",
    [
        {"body": BODY + b" "},
        {"body": b""},
        {"message_id": "msg_other"},
        {"timestamp": str(SENT + 1)},
        {"secrets": OTHER},
        {"signatures": "v1,"},
        {"signatures": SIGNATURE.removeprefix("v1,")},
        {"signatures": SIGNATURE.replace("v1", "v2")},
        {"signatures": "v1,\u00e9\u20ac"},
    ],
)
def test_what_was_changed_or_signed_otherwise_is_not(damage: dict[str, str]) -> None:
    with pytest.raises(Unauthorized, match="does not fit"):
        check(**damage)  # type: ignore[arg-type] # a body among texts


@pytest.mark.parametrize("late", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_a_recording_is_not_believed_nor_a_message_from_the_future(late: int) -> None:
    with pytest.raises(Unauthorized, match="too old"):
        check(now=SENT + late)
    check(now=SENT + late // 2)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "1614265330.0", " 1614265330", "\u0661" * 9, "9" * 400])
def test_a_moment_that_is_none_is_refused(timestamp: str) -> None:
    with pytest.raises(Unauthorized, match="too old"):
        check(timestamp=timestamp)


@pytest.mark.parametrize("spelling", ["svix", "webhook"])
def test_the_headers_are_read_in_either_spelling(spelling: str) -> None:
    headers = {f"{spelling}-id": ID, f"{spelling}-timestamp": str(SENT), f"{spelling}-signature": SIGNATURE}
    Delivery.of(headers, BODY).check(secrets_in(SECRET), SENT)
    for name in headers:
        with pytest.raises(Unauthorized, match="signed message"):
            Delivery.of({**headers, name: ""}, BODY)


@pytest.mark.parametrize("setting", ["whsec_", "whsec_not base64", "whsec_c2hvcnQ=", f"{SECRET},"])
def test_a_secret_that_cannot_be_one_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="signing secrets"):
        secrets_in(setting)
