"""Files a game is made of: found below roots, loaded once by type, with errors that name the path and the cure."""

from engine.assets.assets import Assets
from engine.assets.errors import AssetError
from engine.assets.packaged import packaged

__all__ = ["AssetError", "Assets", "packaged"]
