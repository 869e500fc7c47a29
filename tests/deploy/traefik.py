"""What Traefik 3 documents of its configuration, as far as it concerns what we use.

Its reference lists every key of the dynamic configuration by file, and every option of the static one by command line;
neither comes in a package. A key that is not here is either misspelt, or to be looked up there and added.
"""

from typing import Any

ANYTHING: dict[str, Any] = {}
"""Whatever a value is: the reference gives no keys below it."""

NAMED = "<name>"
"""Stands for a name that we choose."""

ADDRESS = {"depth": ANYTHING, "excludedIPs": ANYTHING}
SOURCE = {"ipStrategy": ADDRESS, "requestHeaderName": ANYTHING, "requestHost": ANYTHING}

DYNAMIC: dict[str, Any] = {
    "http": {
        "routers": {
            NAMED: {
                "entryPoints": ANYTHING,
                "middlewares": ANYTHING,
                "service": ANYTHING,
                "rule": ANYTHING,
                "priority": ANYTHING,
                "tls": {"options": ANYTHING, "certResolver": ANYTHING, "domains": ANYTHING},
            }
        },
        "middlewares": {
            NAMED: {
                "rateLimit": {"average": ANYTHING, "period": ANYTHING, "burst": ANYTHING, "sourceCriterion": SOURCE},
                "inFlightReq": {"amount": ANYTHING, "sourceCriterion": SOURCE},
                "headers": {
                    "customRequestHeaders": {NAMED: ANYTHING},
                    "customResponseHeaders": {NAMED: ANYTHING},
                    "stsSeconds": ANYTHING,
                    "stsIncludeSubdomains": ANYTHING,
                    "stsPreload": ANYTHING,
                    "frameDeny": ANYTHING,
                    "contentTypeNosniff": ANYTHING,
                    "contentSecurityPolicy": ANYTHING,
                    "referrerPolicy": ANYTHING,
                    "permissionsPolicy": ANYTHING,
                },
            }
        },
        "services": {NAMED: {"loadBalancer": {"servers": {"url": ANYTHING}, "healthCheck": {"path": ANYTHING}}}},
    },
    "tls": {"options": {NAMED: {"minVersion": ANYTHING, "cipherSuites": ANYTHING, "sniStrict": ANYTHING}}},
}

OPTIONS = {
    "--certificatesresolvers.<name>.acme.email",
    "--certificatesresolvers.<name>.acme.storage",
    "--certificatesresolvers.<name>.acme.tlschallenge",
    "--entrypoints.<name>.address",
    "--entrypoints.<name>.http.redirections.entrypoint.permanent",
    "--entrypoints.<name>.http.redirections.entrypoint.scheme",
    "--entrypoints.<name>.http.redirections.entrypoint.to",
    "--global.checknewversion",
    "--global.sendanonymoususage",
    "--log.format",
    "--log.level",
    "--ping",
    "--providers.file.directory",
}


def undocumented(configuration: Any, documented: dict[str, Any] = DYNAMIC, where: str = "") -> list[str]:
    """The keys of a dynamic configuration that the reference does not have, by their way from the root."""
    if documented is ANYTHING:
        return []
    if isinstance(configuration, list):
        return [found for entry in configuration for found in undocumented(entry, documented, where)]
    if not isinstance(configuration, dict):
        return [f"{where}: a value where keys belong"]
    wrong: list[str] = []
    for key, value in configuration.items():
        below = documented.get(key, documented.get(NAMED))
        place = f"{where}.{key}" if where else key
        wrong += [place] if below is None else undocumented(value, below, place)
    return wrong
