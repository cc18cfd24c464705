import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.assets import AssetError, Assets, packaged


@pytest.fixture
def root(tmp_path: Path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "foundry.json").write_text('{"name": "Foundry"}')
    (tmp_path / "maps" / "broken.json").write_text('{"name": ')
    (tmp_path / "maps" / "latin.json").write_bytes(b'"\xe4"')
    (tmp_path / "maps" / "deep.json").write_text("[" * 100_000)
    return tmp_path


def test_names_are_paths_below_a_root(root: Path):
    assets = Assets(root)
    assert assets.json("maps/foundry.json") == {"name": "Foundry"}
    assert assets.text("maps/foundry.json").startswith("{")
    assert assets.names("maps", ".json") == sorted(f"maps/{n}.json" for n in ("foundry", "broken", "latin", "deep"))


def test_a_file_is_loaded_once(root: Path):
    assets = Assets(root)
    first = assets.json("maps/foundry.json")
    assert assets.json("maps/foundry.json") is first
    (root / "maps" / "foundry.json").write_text("3")
    assert assets.json("maps/foundry.json") is first
    assets.forget()
    assert assets.json("maps/foundry.json") == 3


def test_the_first_root_wins(root: Path, tmp_path_factory: pytest.TempPathFactory):
    mine = tmp_path_factory.mktemp("mine")
    (mine / "maps").mkdir()
    (mine / "maps" / "foundry.json").write_text('"mine"')
    assert Assets(mine, root).json("maps/foundry.json") == "mine"


def test_a_missing_file_names_the_place_and_the_closest_name(root: Path):
    with pytest.raises(AssetError) as caught:
        Assets(root).path("maps/fuondry.json")
    assert "maps/fuondry.json" in str(caught.value)
    assert str(root) in str(caught.value)
    assert "'maps/foundry.json'" in str(caught.value)


def test_a_file_in_the_wrong_folder_is_found_by_its_end(root: Path):
    with pytest.raises(AssetError, match=r"maps/foundry\.json"):
        Assets(root).path("foundry.json")


def test_a_missing_root_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(AssetError, match="no such folder"):
        Assets(tmp_path / "nowhere").path("a.png")


@pytest.mark.parametrize(
    ("name", "said"),
    [("maps/broken.json", "line 1 column"), ("maps/latin.json", "UTF-8"), ("maps/deep.json", "deep")],
)
def test_a_broken_document_is_named_with_what_is_wrong(root: Path, name: str, said: str):
    with pytest.raises(AssetError, match=said) as caught:
        Assets(root).json(name)
    assert name.rsplit("/", maxsplit=1)[-1] in str(caught.value)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "..\\secret", "C:/secret", "C:secret"])
def test_names_cannot_lead_out(root: Path, name: str):
    with pytest.raises(AssetError, match="leads out"):
        Assets(root).find(name)


@given(st.text(max_size=30))
def test_any_name_gives_a_file_below_the_root_or_an_asset_error(tmp_path_factory: pytest.TempPathFactory, name: str):
    folder = tmp_path_factory.getbasetemp()
    try:
        path = Assets(folder).find(name)
    except AssetError:
        return
    assert path is None or folder in path.parents


@pytest.mark.parametrize("name", ["a" * 5000, "a\x00b", ""])
def test_a_name_no_file_can_have_is_not_found(root: Path, name: str):
    assert Assets(root).find(name) is None


def test_threads_that_load_the_same_get_the_same(root: Path):
    assets = Assets(root)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(assets.json("maps/foundry.json"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(value) for value in found}) == 1


def test_ricochets_own_assets_are_found():
    assert (packaged("ricochet") / "sprites").is_dir()
    assert Assets.of("ricochet", "sprites").find("ball.png") is not None


def test_a_game_without_assets_is_an_error_that_names_the_places():
    with pytest.raises(AssetError, match="no-such-game"):
        packaged("no-such-game")
