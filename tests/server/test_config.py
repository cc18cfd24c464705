"""The server's configuration: three sources, one precedence, and complaints that say where and what instead."""

import dataclasses
import os
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.address import Address
from engine.server.config import (
    SETTINGS,
    Config,
    ConfigError,
    check,
    describe,
    example,
    load,
    reload,
    variable,
)
from engine.server.secret import Secret
from engine.server.toml_lines import key_lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "server.toml"


def problems(file: Path, text: str) -> list[str]:
    """What `check` says of a file with this text, without the folder it is in."""
    file.write_text(text)
    return [problem.replace(f"{file.parent}{os.sep}", "") for problem in check(file)]


# Sources


def test_without_anything_all_is_default() -> None:
    config = load()
    assert config == Config()
    assert config.server.bind == Address("0.0.0.0", 7777)
    assert config.ops.bind is None
    assert config.origin("server.bind") == "default"


def test_option_wins_over_environment_over_file_over_default(file: Path) -> None:
    file.write_text("[server]\nname = 'file'\nworkers = 2\nmax_players = 3\n")
    config = load(
        file,
        environment={"TICKWIRE_SERVER_NAME": "environment", "TICKWIRE_SERVER_WORKERS": "4", "PATH": "/bin"},
        options={"server.name": "option", "server.workers": None},
    )
    assert (config.server.name, config.server.workers, config.server.max_players) == ("option", 4, 3)
    assert config.rooms.seats == 16
    assert config.origin("server.name") == "--name"
    assert config.origin("server.workers") == "TICKWIRE_SERVER_WORKERS"
    assert config.origin("server.max_players") == f"{file}:4"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("server.bind", "7000", Address("0.0.0.0", 7000)),
        ("server.bind", "127.0.0.1:0", Address("127.0.0.1", 0)),
        ("server.bind", "[::]:7777", Address("::", 7777)),
        ("ops.bind", "9100", Address("127.0.0.1", 9100)),
        ("ops.bind", "localhost:9100", Address("127.0.0.1", 9100)),
        ("ops.bind", "off", None),
        ("rooms.private", "no", False),
        ("drain.deadline", "2.5", 2.5),
        ("server.password", "sesame", Secret("sesame")),
        ("ops.bind", "0", Address("127.0.0.1", 0)),
        ("save.folder", "saves", Path("saves")),
        ("save.folder", "", None),
        ("log.level", "debug", "debug"),
    ],
)
def test_each_type_is_read_from_text(name: str, text: str, value: object) -> None:
    assert load(environment={variable(name): text}).get(name) == value


def test_values_of_the_right_type_are_taken_as_they_are() -> None:
    config = load(options={"server.bind": Address("::1", 1), "save.folder": Path("x"), "server.workers": 3})
    assert (config.server.bind, config.save.folder, config.server.workers) == (Address("::1", 1), Path("x"), 3)


def test_paths_in_the_file_are_relative_to_its_folder(file: Path) -> None:
    file.write_text("[tls]\ncertificate = 'chain.pem'\nkey = '/etc/key.pem'\n")
    config = load(file)
    assert config.tls.certificate == file.parent / "chain.pem"
    assert config.tls.key == Path("/etc/key.pem")


def test_a_secret_can_come_from_a_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sesame\n")
    environment = {"TICKWIRE_SERVER_PASSWORD_FILE": str(tmp_path / "secret")}
    assert load(environment=environment).server.password.reveal() == "sesame"
    with pytest.raises(ConfigError, match="only one of them"):
        load(environment={**environment, "TICKWIRE_SERVER_PASSWORD": "x"})
    with pytest.raises(ConfigError, match=r"TICKWIRE_OPS_TOKEN_FILE=.*No such file"):
        load(environment={"TICKWIRE_OPS_TOKEN_FILE": str(tmp_path / "none")})


# Complaints


def test_a_wrong_value_is_named_with_file_line_and_cure(file: Path) -> None:
    assert problems(file, "# ours\n[server]\nname = 'x'\n\nmax_players = 'many'\n") == [
        'server.toml:5: server.max_players = "many": a whole number from 1 to 10000, such as 256'
    ]


def test_everything_wrong_is_reported_at_once(file: Path) -> None:
    text = "[server]\nworkers = 99\nbind = 'here'\n[rooms]\nlevel = 'nightmare'\nprivate = 1\n[drain]\ndeadline = nan\n"
    assert problems(file, text) == [
        "server.toml:2: server.workers = 99: a whole number from 0 to 64, such as 1",
        'server.toml:3: server.bind = "here": IP address and port, such as "0.0.0.0:7777" or "[::]:7777"; a port alone '
        "is at 0.0.0.0",
        'server.toml:5: rooms.level = "nightmare": one of easy, normal, hard',
        "server.toml:6: rooms.private = 1: true or false",
        "server.toml:8: drain.deadline = nan: a number of seconds from 0 to 86400, such as 60",
    ]
    with pytest.raises(ConfigError, match=r"5 problems in the configuration:\n  .*:2: "):
        load(file)


@pytest.mark.parametrize(
    ("text", "problem"),
    [  # after the file's name
        ("[rooms]\nload = -1", "2: rooms.load = -1: a number of cores from 0 to 100, such as 0.75"),
        ("[server]\nmax_player = 4", "2: server.max_player: no such setting; did you mean server.max_players?"),
        ("[sever]\nbind = 4", "1: sever: no such setting; did you mean server?"),
        ("[rooms]\nworkers = 4", "2: rooms.workers: no such setting; did you mean workers in the table [server]?"),
        ("seats = 4", "1: seats: no such setting; did you mean seats in the table [rooms]?"),
        ("server = 4", "1: server = ...: a table, begun with [server], not a value"),
        ("[server]\nworkers = true", "2: server.workers = true: a whole number from 0 to 64, such as 1"),
        ("[server]\nname = 'x", "2: not TOML: "),
        ("[server]\nname = 'x'\nname = 'y'", "3: not TOML: Cannot overwrite a value"),
        ("[tls]\nkey = 'k.pem'", "2: tls.key without tls.certificate: set both, or neither"),
        ("[server]\nname = [\n 1,\n 2,\n]", "2: server.name = list: a text in quotes"),
        ("[server]\nname = \"a\\u001bb\"", "2: server.name = "),
    ],
)  # fmt: skip
def test_problems_of_files(file: Path, text: str, problem: str) -> None:
    (found,) = problems(file, text)
    assert found.startswith(f"server.toml:{problem}")


def test_files_that_are_no_text_or_not_there(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.toml: cannot be read: No such file"):
        load(file)
    file.write_bytes(b"[server]\nname = '\xff'\n")
    assert check(file)[0].endswith("server.toml:2: not UTF-8; TOML always is")


def test_wrong_options_and_variables_are_named_as_they_were_given() -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment={"TICKWIRE_SERVER_WORKERS": "two"}, options={"rooms.level": "nightmare"})
    assert caught.value.problems == (
        'TICKWIRE_SERVER_WORKERS="two": a whole number from 0 to 64, such as 1',
        '--level "nightmare": one of easy, normal, hard',
    )


def test_a_misspelt_variable_is_warned_of_but_those_of_orchestrators_are_not() -> None:
    config = load(
        environment={
            "TICKWIRE_SERVER_WORKER": "4",
            "TICKWIRE_SERVICE_HOST": "10.0.0.1",
            "TICKWIRE_PORT_7777_UDP_ADDR": "10.0.0.1",
        }
    )
    assert config.warnings == (
        "TICKWIRE_SERVER_WORKER: no such setting, and not used; did you mean TICKWIRE_SERVER_WORKERS?",
    )


def test_a_setting_can_turn_out_to_be_of_no_use_later(file: Path) -> None:
    file.write_text("[rooms]\narena = 'moon'\n")
    error = load(file).problem("rooms.arena", "ricochet has the arenas basin and cross")
    assert str(error) == f'{file}:2: rooms.arena = "moon": ricochet has the arenas basin and cross'


_WORDS = [
    "[server]",
    "[rooms]",
    "bind",
    "name",
    "workers",
    "=",
    "'x'",
    "1",
    "true",
    "[",
    "]",
    "\n",
    "{",
    "}",
    "0xf",
    "1.5",
]


@given(st.text(max_size=50) | st.lists(st.sampled_from(_WORDS), max_size=20).map(" ".join))
def test_any_file_is_a_configuration_or_has_problems(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.toml"
        file.write_bytes(text.encode(errors="replace"))
        assert all(problem.startswith(f"{file}:") for problem in check(file))


@pytest.mark.parametrize("text", ["a = " + "1" * 5000, "[server]\nworkers = 0x" + "f" * 5000, "a = " + "[" * 5000])
def test_what_is_too_much_for_the_parser_is_a_problem_too(file: Path, text: str) -> None:
    assert len(problems(file, text)) == 1


@given(st.sampled_from(list(SETTINGS)), st.text(max_size=20) | st.integers() | st.floats() | st.none() | st.booleans())
def test_any_value_of_a_setting_is_taken_or_a_problem(name: str, value: object) -> None:
    try:
        taken = load(options={name: value}).get(name)
    except ConfigError:
        return
    assert SETTINGS[name].take(taken) == taken
    assert describe(Config()).count("\n") == len(SETTINGS) - 1


# Secrets


def test_secrets_are_never_shown(file: Path) -> None:
    password, token = "sesame-open", "tooshort"
    file.write_text(f"[server]\npassword = '{password}'\n[ops]\ntoken = '{token}'\n")
    config = load(environment={"TICKWIRE_SERVER_PASSWORD": password})
    shown = [repr(config), str(config.server.password), f"{config.server.password}", describe(config), *check(file)]
    shown += [*problems(file, f"[server]\npassword = ['{password}']\n")]
    for text in shown:
        assert password not in text
        assert token not in text
    assert "********" in describe(config)
    assert config.secrets() == [Secret(password)]
    assert config.server.password.matches(password)
    assert not config.server.password.matches("sesame")


def test_a_token_that_can_be_guessed_is_refused(file: Path) -> None:
    (problem,) = problems(file, "[ops]\ntoken = 'abc'\n")
    assert problem.startswith("server.toml:2: ops.token has 3 characters, and can be guessed: give at least 16")


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are those of POSIX")
def test_a_secret_in_a_file_that_all_can_read_is_warned_of(file: Path) -> None:
    file.write_text("[server]\npassword = 'x'\n")
    file.chmod(0o644)
    assert load(file).warnings == (
        f"{file}: holds server.password, and everyone on this machine can read it: chmod o-r",
    )
    file.chmod(0o600)
    assert load(file).warnings == ()


def test_pages_open_to_others_without_a_token_are_warned_of() -> None:
    assert "ops.token" in load(options={"ops.bind": "0.0.0.0:9100"}).warnings[0]
    assert load(options={"ops.bind": "9100"}).warnings == ()


# Reload


def test_a_reload_takes_up_what_it_can_and_names_the_rest(file: Path) -> None:
    file.write_text("[server]\nname = 'one'\nbind = 7000\n")
    running = load(file)
    file.write_text("[server]\nbind = 8000\nname = 'two'\n[log]\nlevel = 'debug'\n")
    found = reload(running, load(file))
    assert found.changed == ("server.name", "log.level")
    assert found.needs_restart == ("server.bind",)
    assert found.config.server.name == "two"
    assert found.config.server.bind == Address("0.0.0.0", 7000)
    assert found.config.origin("server.bind") == f"{file}:3"
    again = reload(found.config, load(file))
    assert again.changed == ()


def test_what_decides_how_the_process_was_started_needs_a_restart() -> None:
    fixed = {name for name, known in SETTINGS.items() if not known.reload}
    assert {"server.bind", "server.workers", "rooms.game", "ops.bind", "save.folder"} <= fixed


# The schema itself


def test_the_example_is_the_defaults_and_explains_each_setting() -> None:
    text = example()
    uncommented = "\n".join(line[1:] if line.startswith("#") and " = " in line else line for line in text.splitlines())
    tables = tomllib.loads(uncommented)
    assert {f"{section}.{key}" for section, table in tables.items() for key in table} == set(SETTINGS)
    for name, known in SETTINGS.items():
        section, _, key = name.partition(".")
        assert known.take(tables[section][key]) == Config().get(name)
        assert known.about in text


def test_names_of_options_are_unique_and_secrets_have_none() -> None:
    options = [known.option for known in SETTINGS.values() if known.option]
    assert len(options) == len(set(options))
    assert not [known.name for known in SETTINGS.values() if known.type is Secret and known.option]


def test_a_configuration_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().server.name = "x"  # pyright: ignore[reportAttributeAccessIssue]


# Lines of keys


def test_lines_are_found_past_strings_arrays_and_comments() -> None:
    text = '\n'.join(
        [
            "top = 1  # [no.table]",
            'text = """',
            "[not.a.table]",
            'fake = 1"""',
            "array = [ # [",
            "  '[x]',",
            "]",
            "",
            "[a.b]  # c = 2",
            "c = {d = 1, e = {f = 2}}",
            '"quoted . key" = 1',
            "[[list]]",
            "g = 1",
            "[[list]]",
            "g = 2",
            "h.i = 3",
        ]
    )  # fmt: skip
    assert key_lines(text) == {
        "top": 1,
        "text": 2,
        "array": 5,
        "a": 9,
        "a.b": 9,
        "a.b.c": 10,
        "a.b.c.d": 10,
        "a.b.c.e": 10,
        "a.b.c.e.f": 10,
        "a.b.quoted . key": 11,
        "list": 14,
        "list.g": 15,
        "list.h": 16,
        "list.h.i": 16,
    }


_VALUES = ["1", "'x'", '"""\n[a]\nb = 1\n"""', "[\n1,\n# ]\n2]", "'''\n'''", "{z = 1}"]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(_VALUES), st.sampled_from(["", "# k9 = 1", "\n\n"]))))
def test_lines_are_found_in_any_file(entries: list[tuple[int, str, str]]) -> None:
    lines = list[str]()
    expected = dict[str, int]()
    for number, (table, value, filler) in enumerate(entries):
        lines.append(f"[t{number}]" if table == 0 else "")
        lines.extend(filler.split("\n"))
        prefix = next((line[1:-1] for line in reversed(lines) if line.startswith("[t")), "")
        expected[f"{prefix}.k{number}" if prefix else f"k{number}"] = len(lines) + 1
        lines.extend(f"k{number} = {value}".split("\n"))
    found = key_lines("\n".join(lines))
    assert {name: line for name, line in found.items() if name in expected} == expected
