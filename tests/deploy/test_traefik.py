"""What Traefik is told: only what it documents, and only what the world may reach."""

import re
from typing import Any

import pytest
import yaml
from tests.deploy import composition
from tests.deploy.composition import WORKSPACE
from tests.deploy.traefik import OPTIONS, undocumented

from gateway.domain.routing import ROUTES

TEXT = (WORKSPACE / "deploy" / "traefik" / "routes.yml").read_text()
DYNAMIC: dict[str, Any] = yaml.safe_load(TEXT.replace('{{ env "DOMAIN" }}', "clinics.example"))
ROUTER = DYNAMIC["http"]["routers"]["gateway"]

CONTAINER = composition.services(dict.fromkeys(composition.required(), "given"))["traefik"]
COMMAND = dict(option.split("=", 1) for option in CONTAINER["command"])
NAMES = re.compile(r"(?<=^--entrypoints\.)\w+|(?<=^--certificatesresolvers\.)\w+")

INSIDE = {"/metrics", "/health/live", "/health/ready"}
MATCHER = re.compile(r"(Host|Path|PathPrefix)\(`([^`]+)`\)")


def reachable(path: str) -> bool:
    matchers = MATCHER.findall(ROUTER["rule"])
    return any(
        path == value if kind == "Path" else path.startswith(value) for kind, value in matchers if kind != "Host"
    )


def test_every_key_is_one_that_traefik_documents() -> None:
    assert undocumented(DYNAMIC) == []


def test_a_misspelt_key_is_noticed() -> None:
    slip = {"http": {"middlewares": {"rate": {"rateLimit": {"avarage": 1}}}}}
    assert undocumented(slip) == ["http.middlewares.rate.rateLimit.avarage"]


def test_every_option_is_one_that_traefik_documents() -> None:
    assert {NAMES.sub("<name>", option) for option in COMMAND} <= OPTIONS
    assert NAMES.sub("<name>", "--entrypoints.web.adress") not in OPTIONS


def test_the_rule_is_a_host_and_any_of_some_paths() -> None:
    shape = MATCHER.sub(lambda found: found[1][0], re.sub(r"\s+", " ", ROUTER["rule"]))
    assert re.fullmatch(r"H && \(P( \|\| P)*\)", shape)
    assert ROUTER["rule"].startswith("Host(`clinics.example`)")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.template)
def test_what_the_gateway_answers_can_be_reached_except_its_figures_and_probes(route: Any) -> None:
    path = re.sub(r"\{\w+\}|\*", "x", route.template)
    assert reachable(path) == (path not in INSIDE)


def test_no_other_path_leads_in() -> None:
    assert not any(map(reachable, ("/metrics/", "/documents", "/apiv1", "/api/v2/x", "/.env", "/healthy")))


def test_there_is_one_way_in_and_it_is_encrypted_limited_and_signed_with_headers() -> None:
    assert list(DYNAMIC["http"]["routers"]) == ["gateway"]
    assert ROUTER["entryPoints"] == ["websecure"]
    assert set(ROUTER["middlewares"]) == set(DYNAMIC["http"]["middlewares"])
    assert f"--certificatesresolvers.{ROUTER['tls']['certResolver']}.acme.tlschallenge" in COMMAND
    assert COMMAND["--entrypoints.web.http.redirections.entrypoint.to"] == "websecure"


def test_the_limit_is_of_each_address_that_connects() -> None:
    """A header or a proxy's word would let a client choose whom it is counted as."""
    limit = DYNAMIC["http"]["middlewares"]["rate"]["rateLimit"]
    assert limit["average"] > 0
    assert "sourceCriterion" not in limit
    assert not any("forwardedheaders" in option for option in COMMAND)


def test_it_goes_to_the_gateway_where_the_compose_file_has_it() -> None:
    gateway = composition.services(dict.fromkeys(composition.required(), "given"))["gateway"]
    servers = DYNAMIC["http"]["services"]["gateway"]["loadBalancer"]["servers"]
    assert servers == [{"url": f"http://gateway:{gateway['environment']['PORT']}"}]
