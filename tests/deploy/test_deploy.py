"""What is in tools/deploy fits the server: options, settings, metrics, paths, and who waits how long for whom."""

import asyncio
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.server.config import check, load
from engine.server.health import PATIENCE
from engine.server.lifecycle import FILES, Service
from engine.server.rooms import GOODBYE
from engine.server.supervisor import FAREWELLS
from games.ricochet.game import GAME

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "tools" / "deploy"
SETTINGS = DEPLOY / "tickwire.toml"
INSTALLED = "/etc/tickwire/tickwire.toml"


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


UNIT = [
    (key, value)
    for line in text("tickwire.service").splitlines()
    if not line.startswith(("#", "["))
    for key, sign, value in [line.partition("=")]
    if sign
]


def unit(key: str) -> list[str]:
    return [value for known, value in UNIT if known == key]


def understood(words: list[str]) -> None:
    """The command line takes these words; raises what click does if not."""
    name, *arguments = words
    main.commands[name].make_context(name, arguments)


def seconds_to_end() -> float:
    """How long a drain by the settings here may take, until the process is gone."""
    return load(SETTINGS).drain.deadline + 2 * GOODBYE + FAREWELLS


# The settings


def test_the_settings_can_be_used() -> None:
    assert check(SETTINGS) == ()
    config = load(SETTINGS)
    assert Service(GAME, config).check() == []
    assert config.ops.bind is not None
    assert config.ops.bind.host == "127.0.0.1"


def test_what_is_commented_out_can_be_used_too(tmp_path: Path) -> None:
    path = tmp_path / "tickwire.toml"
    path.write_text(re.sub(r"(?m)^#(?=\[|\w+ =)", "", text("tickwire.toml")), encoding="utf-8")
    assert check(path) == ()
    config = load(path)
    assert config.tls.certificate == tmp_path / "tls" / "fullchain.pem"
    assert config.server.public


def test_what_takes_a_restart_is_marked() -> None:
    from engine.server.schema import SETTINGS as KNOWN

    section = ""
    marked: dict[str, bool] = {}
    for line in text("tickwire.toml").splitlines():
        if found := re.match(r"#?\[(\w+)\]", line):
            section = found[1]
        elif found := re.match(r"#?(\w+) = ", line):
            marked[f"{section}.{found[1]}"] = "(restart)" in line
    assert marked == {name: not KNOWN[name].reload for name in marked}


# The unit


def test_the_unit_starts_and_checks_with_options_there_are() -> None:
    (start,) = unit("ExecStart")
    checks, hangup = unit("ExecReload")
    path, *words = start.split()
    assert path == "/opt/tickwire/bin/tickwire"
    understood(words)
    assert words[-1] == INSTALLED
    assert checks.endswith(f"{start} --check")
    understood(checks.partition(f"{path} ")[2].split())
    assert hangup == "/bin/kill -HUP $MAINPID"


def test_the_unit_waits_longer_than_a_drain_takes_and_is_shown_life_often_enough() -> None:
    assert unit("Type") == ["notify"]
    assert int(unit("TimeoutStopSec")[0]) > seconds_to_end()
    assert int(unit("WatchdogSec")[0]) / 2 > 2 * PATIENCE, "a handler that blocks for seconds is no reason to restart"
    assert int(unit("LimitNOFILE")[0]) >= FILES
    assert unit("KillMode") == ["mixed"], "the main process tells its workers"
    assert unit("Restart") == ["on-failure"], "what was drained stays down"


def test_the_unit_keeps_what_the_server_keeps() -> None:
    (state,) = unit("StateDirectory")
    assert "XDG_DATA_HOME=%S" in unit("Environment"), "the key goes to the folder of that name below"
    folder = load(SETTINGS).save.folder
    assert folder is not None
    assert folder.as_posix().endswith(f"/var/lib/{state}/saves")
    assert "TICKWIRE_OPS_TOKEN_FILE=%d/ops-token" in unit("Environment")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="takes systemd")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "tickwire.service"
    copy.write_text(text("tickwire.service").replace("/opt/tickwire/bin/tickwire", shutil.which("true") or ""))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert "tickwire" not in done.stderr


# The container


def instruction(name: str) -> list[str]:
    """The words of the last instruction of that name in the Dockerfile, in the form without a shell."""
    joined = text("Dockerfile").replace("\\\n", " ")
    last = re.findall(rf"(?m)^(?:HEALTHCHECK .*)?\b{name} (\[.*\])$", joined)[-1]
    return json.loads(last)


def test_the_image_starts_with_options_there_are_and_gets_signals_itself() -> None:
    program, *words = instruction("ENTRYPOINT")
    assert program == "/opt/tickwire/bin/tickwire"
    (command,) = re.findall(r"(?m)^CMD (\[.*\])$", text("Dockerfile"))
    understood([*words, *json.loads(command)])
    assert "STOPSIGNAL SIGTERM" in text("Dockerfile")
    assert "USER tickwire" in text("Dockerfile")


def test_the_image_copies_what_there_is() -> None:
    copied = re.findall(r"(?m)^COPY (?!--)(.+) \S+$", text("Dockerfile"))
    for source in " ".join(copied).split():
        assert (ROOT / source).exists()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages | {"pyproject.toml", project["project"]["readme"]} <= set(" ".join(copied).split())


def test_the_image_asks_for_its_health_where_the_settings_have_it() -> None:
    bind = load(SETTINGS).ops.bind
    (asked,) = re.findall(r"urlopen\('(http://\S+?)/healthz'", text("Dockerfile"))
    assert asked == f"http://{bind}"


def compose(key: str) -> str:
    (value,) = re.findall(rf"(?m)^ +{key}: (.+)$", text("compose.yaml"))
    return value


def test_compose_starts_with_options_there_are_and_waits_longer_than_a_drain_takes() -> None:
    understood(["serve", *json.loads(compose("command"))])
    assert int(compose("stop_grace_period").removesuffix("s")) > seconds_to_end()
    assert f"- .:{Path(INSTALLED).parent}:ro" in text("compose.yaml")


def test_compose_sets_variables_there_are() -> None:
    variables = dict(re.findall(r"(?m)^ +(TICKWIRE_\w+): (.+)$", text("compose.yaml")))
    assert len(variables) == 3
    variables["TICKWIRE_SERVER_PUBLIC"] = "play.example.org"
    del variables["TICKWIRE_OPS_TOKEN_FILE"]
    config = load(SETTINGS, environment={**variables, "TICKWIRE_OPS_TOKEN": "x" * 20})
    assert config.warnings == ()
    assert set(config.origins.values()) >= set(variables)


def test_compose_publishes_the_ports_of_the_settings() -> None:
    port = load(SETTINGS).server.bind.port
    published = re.findall(r'(?m)^ +- "([\d.:-]+)/(\w+)"$', text("compose.yaml"))
    assert (f"{port}:{port}", "tcp") in published
    assert (f"{port}-{port + 8}:{port}-{port + 8}", "udp") in published
    assert ("127.0.0.1:9100:9100", "tcp") in published


# The rules


def test_rules_ask_for_metrics_there_are(exposed: str) -> None:
    asked = set(re.findall(r"\btickwire_\w+", "\n".join(re.findall(r"expr: (?:\|\n)?(.+)", text("alerts.yaml")))))
    assert len(asked) > 8
    assert asked <= names_in(exposed)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="takes Prometheus")
def test_prometheus_takes_the_rules_and_the_metrics(exposed: str) -> None:
    subprocess.run(["promtool", "check", "rules", DEPLOY / "alerts.yaml"], check=True, capture_output=True)
    done = subprocess.run(["promtool", "check", "metrics"], input=exposed, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def names_in(exposed: str) -> set[str]:
    """The metrics declared in an exposition, and what comes of histograms."""
    kinds = dict(re.findall(r"(?m)^# TYPE (\S+) (\w+)$", exposed))
    parts = {
        f"{name}{part}" for name, kind in kinds.items() if kind == "histogram" for part in ("_bucket", "_count", "_sum")
    }
    return set(kinds) | parts


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a server tells Prometheus."""
    from engine.server.ops.fleet import Watch

    folder = tmp_path_factory.mktemp("server")
    options = {"server.bind": "127.0.0.1:0", "discovery.lan": False}
    told: list[bytes] = []

    async def scene() -> None:
        service = Service(GAME, load(options=options), folder=folder, announce=lambda invite: None)
        task = asyncio.create_task(service.run())
        while not service.is_ready and not task.done():
            await asyncio.sleep(0.01)
        told.append(await Watch(service).metrics())
        service.stop()
        await task

    asyncio.run(scene())
    return told[0].decode()


# The page for operators

PAGE = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
NAMES = re.compile(r"\b(?:tickwire|process)_\w+")


def commands_in(document: str) -> list[list[str]]:
    """What is done with `tickwire` in the blocks of a document that are for a shell."""
    found: list[list[str]] = []
    for block in re.findall(r"```sh\n(.*?)```", document, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;", re.sub(r"\s#.*", "", line)):
                words = re.findall(r"'[^']*'|\S+", part)
                if words and words[0].rpartition("/")[2] == "tickwire":
                    found.append([word.strip("'") for word in words[1:]])
    return found


@pytest.mark.parametrize("path", ["docs/hosting.md", "docs/netcode.md", "docs/wire.md", "README.md"])
def test_commands_in_documents_have_options_there_are(path: str) -> None:
    for words in commands_in((ROOT / path).read_text(encoding="utf-8")):
        if words != ["serve", "--help"]:
            understood(words)


def test_the_page_has_commands() -> None:
    assert len(commands_in(PAGE)) > 15


def test_the_page_has_every_setting_as_it_is() -> None:
    from engine.server.schema import SETTINGS as KNOWN

    rows = {
        row[0]: row[1:]
        for line in PAGE.splitlines()
        if line.startswith("| `") and len(row := [cell.strip().strip("`") for cell in line.strip("| ").split("|")]) == 5
    }
    for known in KNOWN.values():
        option = "GAME" if known.name == "rooms.game" else known.option
        changes = "reload" if known.reload else "restart"
        assert rows.pop(known.name) == [option, known.example(), changes, known.about]
    assert rows == {}


def test_the_page_asks_for_metrics_there_are(exposed: str) -> None:
    asked = set(NAMES.findall(PAGE))
    assert len(asked) > 12
    standard = {"process_cpu_seconds_total", "process_resident_memory_bytes"}  # Linux only
    assert asked - standard <= names_in(exposed)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="takes Prometheus")
def test_prometheus_takes_the_queries_of_the_page(tmp_path: Path) -> None:
    rows = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ") and NAMES.search(line)]
    queries = [query for row in rows for query in re.findall(r"`([^`]+)`", row)]
    queries += re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL)
    assert len(queries) > 15
    rules = [{"record": f"query_{number}", "expr": query.strip()} for number, query in enumerate(queries)]
    path = tmp_path / "rules.yaml"
    path.write_text(json.dumps({"groups": [{"name": "page", "rules": rules}]}))  # JSON is YAML, too
    subprocess.run(["promtool", "check", "rules", path], check=True, capture_output=True)


def test_the_settings_of_the_page_can_be_used(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        path = tmp_path / "server.toml"
        path.write_text(block, encoding="utf-8")
        assert check(path) == ()


def test_links_of_the_page_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE)
    assert [link for link in links if "://" not in link and not (ROOT / "docs" / link).exists()] == []
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", PAGE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings
