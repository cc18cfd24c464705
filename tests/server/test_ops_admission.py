"""Who may ask the pages for what."""

import pytest

from engine.server.ops.admission import Admission, RefusedError
from engine.server.secret import Secret

TOKEN = "sesame-sesame-sesame"


def admission(token: str = TOKEN, name: str = "") -> Admission:
    return Admission(lambda: Secret(token), lambda: frozenset([name] if name else []))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9100", "127.0.0.1", "localhost:9100", "LOCALHOST", "[::1]:9100", "192.0.2.7", "ops.example.org"]
)
def test_pages_are_asked_for_by_address_or_by_their_own_name(host: str) -> None:
    admission(name="ops.example.org").check_source(host, None)
    admission(name="ops.example.org").check_source(host, f"http://{host}")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9100", "127.0.0.1.evil.example", "", "[evil", "a@[::1]"]
)
def test_a_name_that_points_here_is_not_enough(host: str) -> None:
    with pytest.raises(RefusedError, match=r"ops\.name") as error:
        admission().check_source(host, None)
    assert error.value.status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9101", "http://127.0.0.1", ""])
def test_other_sites_are_refused(origin: str) -> None:
    with pytest.raises(RefusedError, match="other sites") as error:
        admission().check_source("127.0.0.1:9100", origin)
    assert error.value.status == 403


def test_a_token_opens() -> None:
    admission().check_token(f"Bearer {TOKEN}")
    admission().check_token(f"bearer  {TOKEN} ")


@pytest.mark.parametrize("header", [None, "", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x"])
def test_nothing_else_opens(header: str | None) -> None:
    with pytest.raises(RefusedError) as error:
        admission().check_token(header)
    assert error.value.status == 401
    assert TOKEN not in str(error.value)


def test_without_a_token_nobody_acts() -> None:
    with pytest.raises(RefusedError, match=r"no ops\.token") as error:
        admission("").check_token("Bearer ")
    assert error.value.status == 403
    assert not admission("").is_token("")
