"""What documents say to Docker and Kubernetes, in blocks and in sentences, without either: names, files and options.

Compose's own options are a table, for a client without an engine seldom has compose. The clients that are here read the
rest themselves, as far as the server that is not there.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from tests.deploy import composition
from tests.deploy.manifests import HASH, NAME, built
from tests.docs.test_documents import PAGES, ROOT
from tests.docs.test_sentences import _missing
from tests.shell import BASH, blocks

from routiq.ports import LOOPBACK, free_port

SAID = re.compile(r"`((?:docker|kubectl) [a-z-][^`]*)`")
LINE = re.compile(r"^(?:docker|kubectl) .+$", re.MULTILINE)
COMPOSED = composition.services(dict.fromkeys(composition.required(), "given"))
PROJECT = composition.raw()
OPTIONS = {
    "build": set(),
    "exec": set(),
    "kill": {"--signal"},
    "logs": {"--follow"},
    "ps": {"--all"},
    "restart": set(),
    "run": {"--rm", "--no-deps"},
    "stop": set(),
    "up": {"-d", "--detach", "--build", "--no-deps", "--wait"},
}
"""Of those that `docker compose COMMAND --help` tells of, what documents may use."""
ONE_SERVICE = ("exec", "run")
SELECTED = re.compile(rf"{re.escape(NAME)}(?:=| in \()([\w, -]+)")
NO_SERVER = "refused|Cannot connect to the Docker daemon"


def commands(page: Path) -> Iterator[str]:
    """As they stand, without what is done with their output."""
    found = [*SAID.findall(page.read_text()), *(line for block in blocks(page) for line in LINE.findall(block))]
    for command in found:
        yield re.split(r" > | {2,}#", command)[0].strip()


EVERY = sorted({command for page in PAGES for command in commands(page)})
RELEASE = list(commands(ROOT / "deploy" / "kubernetes" / "README.md"))
WITHOUT_COMPOSE = [command for command in EVERY if not command.startswith("docker compose")]


def test_every_page_with_such_commands_was_read() -> None:
    assert len(EVERY) > 30
    assert {"docker network", "kubectl apply"} <= {" ".join(command.split()[:2]) for command in WITHOUT_COMPOSE}


@pytest.mark.parametrize("command", [command for command in EVERY if command not in WITHOUT_COMPOSE])
def test_what_is_said_to_compose_is_there(command: str) -> None:
    assert wrong(command) == []


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("docker compose upp", ["upp"]),
        ("docker compose up --detached", ["--detached"]),
        ("docker compose --env-file deploy/nothing.env up", ["deploy/nothing.env"]),
        ("docker compose restart rabbit", ["rabbit"]),
        ("docker compose exec rabbit bash", ["rabbit"]),
        ("docker compose exec rabbitmq bash /etc/routiq/begin.sh", ["/etc/routiq/begin.sh"]),
        ("docker compose exec sync python -m sync rotate-locks", ["rotate-locks"]),
        ("docker compose exec patients python -c 'http://127.0.0.1:8002/'", ["8002"]),
        ("docker compose up -d --no-deps <service>", []),
    ],
)
def test_what_is_not_there_would_be_found(command: str, found: list[str]) -> None:
    assert wrong(command) == found


def test_the_files_and_networks_that_sentences_name_are_those_of_compose() -> None:
    said = "".join(page.read_text() for page in PAGES)
    files = {file for one in re.findall(r"`COMPOSE_FILE=([^`]+)`", said) for file in one.split(":")}
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []
    networks = {f"{PROJECT['name']}_{network}" for network in PROJECT["networks"]}
    assert set(re.findall(r"`docker network connect (\S+) ", said)) <= networks


def test_a_release_names_what_the_overlay_has() -> None:
    release = "\n".join(RELEASE)
    items = built("production")
    labels = {item["metadata"].get("labels", {}).get(NAME) for item in items}
    selected = [name for names in SELECTED.findall(release) for name in names.split(", ")]
    assert len(selected) > 5
    assert set(selected) <= labels
    workloads = {(item["kind"].lower(), item["metadata"]["name"]) for item in items}
    assert set(re.findall(r"(job|deployment)[ /](\w+)", release)) <= workloads
    assert {item["metadata"]["namespace"] for item in items} == set(re.findall(r"--namespace (\w+)", release))


def test_a_release_brings_everything_but_the_gateway_before_the_gateway() -> None:
    *steps, last = RELEASE
    assert last == "kubectl apply -f release.yaml"
    brought = {name for step in steps for names in SELECTED.findall(step) for name in names.split(", ")}
    deployed = {item["metadata"]["name"] for item in built("production") if item["kind"] in ("Deployment", "Job")}
    assert deployed - brought == {"gateway"}


@pytest.mark.parametrize("command", WITHOUT_COMPOSE)
def test_a_client_takes_the_command_as_far_as_the_server(tmp_path: Path, command: str) -> None:
    said = tried(command, tmp_path)
    assert re.search(NO_SERVER, said) or HASH.search(said), said


@pytest.mark.parametrize(
    "command", ["kubectl apply -f release.yaml --selectr x", "docker network conect routiq_edge x"]
)
def test_a_client_would_refuse_another(tmp_path: Path, command: str) -> None:
    assert not re.search(NO_SERVER, tried(command, tmp_path))


def tried(command: str, home: Path) -> str:
    """What the client says, of a server that is not there."""
    program = shlex.split(command)[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (home / "deploy").symlink_to(ROOT / "deploy")
    address = f"{LOOPBACK}:{free_port()}"
    server = f"clusters: [{{name: x, cluster: {{server: 'http://{address}'}}}}]"
    (home / "config").write_text(f"{server}\ncontexts: [{{name: x, context: {{cluster: x}}}}]\ncurrent-context: x\n")
    (home / "release.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    environment = {
        **os.environ,
        "HOME": str(home),
        "KUBECONFIG": str(home / "config"),
        "DOCKER_HOST": f"tcp://{address}",
    }
    done = subprocess.run(
        [BASH, "-c", command], cwd=home, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def wrong(command: str) -> list[str]:
    """Of a command to compose: files, options, services and what is run in them that there are not."""
    words = shlex.split(command)[2:]
    bad = []
    while words[:1] == ["--env-file"]:
        bad += [file for file in words[1:2] if file != ".env" and not (ROOT / file).exists()]
        words = words[2:]
    if not words:
        return bad
    name, *rest = words
    if name not in OPTIONS:
        return [*bad, name]
    options = list(takewhile(lambda word: word.startswith("-"), rest))
    bad += [option for option in options if option not in OPTIONS[name]]
    services = rest[len(options) + ("--signal" in options) :]
    if name in ONE_SERVICE:
        services, inside = services[:1], services[1:]
        bad += _inside(services[0], inside) if services[0] in COMPOSED else []
    return bad + [one for one in services if one not in COMPOSED and one != "<service>"]


def _inside(service: str, words: list[str]) -> list[str]:
    """Of what is run in a service's container: its port, what is mounted into it, and modules of ours."""
    container = COMPOSED[service]
    mounts = [volume.split(":")[:2] for volume in container.get("volumes", ()) if volume.startswith("./")]
    files = [(word, source + word.removeprefix(at)) for word in words for source, at in mounts if word.startswith(at)]
    ports = re.findall(rf"{re.escape(LOOPBACK)}:(\d+)", " ".join(words))
    bad = [word for word, source in files if not (ROOT / source).exists()]
    bad += [port for port in ports if port != container["environment"]["PORT"]]
    return bad + (_missing(" ".join(words)) if words[:2] == ["python", "-m"] else [])
