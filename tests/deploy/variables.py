"""Values for every variable that docker-compose.yml requires."""

import secrets

from tests.deploy import composition


def made() -> dict[str, str]:
    """New secrets, with what the demo brings."""
    random = {name: secrets.token_hex(24) for name in composition.required()}
    formed = {
        "ACME_EMAIL": "operations@clinics.example",
        "CLERK_WEBHOOK_SECRET": "whsec_" + "c2VjcmV0" * 4,
        "CREDENTIALS_KEYS": f"one:{'A' * 43}=",
    }
    return {**random, **formed, **composition.demo_variables()}
