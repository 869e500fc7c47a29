"""The keys that Traefik 3 documents, for the kinds of things we configure: it catches a slip of the pen.

Typed from its reference (dynamic configuration by file, options by command line), which comes in no package, whole for
each kind that is named here: routers, one kind of service, three middlewares, TLS, entry points and the certificates'
resolver. It does not know values, nor whether Traefik does with them what we mean: tests/deploy/test_compose_engine.py
asks Traefik itself, where there is a Docker engine.
"""

from typing import Any

ANYTHING: dict[str, Any] = {}
"""Whatever a value is: the reference gives no keys below it."""

NAMED = "<name>"
"""Stands for a name that we choose."""


def _keys(names: str, **deeper: Any) -> dict[str, Any]:
    return {**dict.fromkeys(names.split(), ANYTHING), **deeper}


NAMES = {NAMED: ANYTHING}
SOURCE = _keys("requestHeaderName requestHost", ipStrategy=_keys("depth excludedIPs ipv6Subnet"))
ROUTER = _keys(
    "entryPoints middlewares service rule ruleSyntax priority",
    tls=_keys("options certResolver", domains=_keys("main sans")),
    observability=_keys("accessLogs tracing metrics"),
)
LOAD_BALANCER = _keys(
    "passHostHeader serversTransport",
    sticky={"cookie": _keys("name secure httpOnly sameSite maxAge path")},
    servers=_keys("url weight preservePath"),
    healthCheck=_keys(
        "scheme mode path method status port interval timeout hostname followRedirects",
        headers=NAMES,
    ),
    responseForwarding=_keys("flushInterval"),
)
HEADERS = _keys(
    "accessControlAllowCredentials accessControlAllowHeaders accessControlAllowMethods accessControlAllowOriginList"
    " accessControlAllowOriginListRegex accessControlExposeHeaders accessControlMaxAge addVaryHeader allowedHosts"
    " hostsProxyHeaders stsSeconds stsIncludeSubdomains stsPreload forceSTSHeader frameDeny customFrameOptionsValue"
    " contentTypeNosniff browserXssFilter customBrowserXSSValue contentSecurityPolicy contentSecurityPolicyReportOnly"
    " publicKey referrerPolicy permissionsPolicy isDevelopment",
    customRequestHeaders=NAMES,
    customResponseHeaders=NAMES,
    sslProxyHeaders=NAMES,
)
MIDDLEWARE = {
    "rateLimit": _keys("average period burst", sourceCriterion=SOURCE),
    "inFlightReq": _keys("amount", sourceCriterion=SOURCE),
    "headers": HEADERS,
}
TLS_OPTIONS = _keys(
    "minVersion maxVersion cipherSuites curvePreferences sniStrict alpnProtocols",
    clientAuth=_keys("caFiles clientAuthType"),
)
DYNAMIC: dict[str, Any] = {
    "http": {
        "routers": {NAMED: ROUTER},
        "middlewares": {NAMED: MIDDLEWARE},
        "services": {NAMED: {"loadBalancer": LOAD_BALANCER}},
    },
    "tls": {"options": {NAMED: TLS_OPTIONS}},
}

ENTRY_POINT = (
    "address allowacmebypass asdefault forwardedheaders.connection forwardedheaders.insecure"
    " forwardedheaders.trustedips http.encodequerysemicolons http.maxheaderbytes http.middlewares"
    " http.redirections.entrypoint.permanent http.redirections.entrypoint.priority"
    " http.redirections.entrypoint.scheme http.redirections.entrypoint.to http.sanitizepath http.tls"
    " http.tls.certresolver http.tls.options http2.maxconcurrentstreams http3 http3.advertisedport"
    " observability.accesslogs observability.metrics observability.tracing proxyprotocol proxyprotocol.insecure"
    " proxyprotocol.trustedips reuseport transport.keepalivemaxrequests transport.keepalivemaxtime"
    " transport.lifecycle.gracetimeout transport.lifecycle.requestacceptgracetimeout"
    " transport.respondingtimeouts.idletimeout transport.respondingtimeouts.readtimeout"
    " transport.respondingtimeouts.writetimeout"
)
ACME = (
    "cacertificates caserver caservername casystemcertpool certificatesduration clientresponseheadertimeout"
    " clienttimeout disablecommonname dnschallenge eab.hmacencoded eab.kid email emailaddresses httpchallenge"
    " httpchallenge.delay httpchallenge.entrypoint keytype preferredchain profile storage tlschallenge"
    " tlschallenge.delay"
)
OPTIONS = {
    *(f"--entrypoints.{NAMED}.{name}" for name in ENTRY_POINT.split()),
    *(f"--certificatesresolvers.{NAMED}.acme.{name}" for name in ACME.split()),
    *(f"--providers.file.{name}" for name in ("directory", "filename", "watch", "debugloggeneratedtemplate")),
    *(f"--log.{name}" for name in ("compress", "filepath", "format", "level", "maxage", "maxbackups", "maxsize")),
    *("--ping", "--ping.entrypoint", "--ping.manualrouting", "--ping.terminatingstatuscode"),
    *("--global.checknewversion", "--global.sendanonymoususage"),
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
