"""At which steps something is saved."""

from sagehound.debug.save_config import SaveConfig, SaveConfigMode

__all__ = ["SaveConfig", "SaveConfigMode"]
