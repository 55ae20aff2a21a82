"""At which steps something is saved."""

from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode

__all__ = ["SaveConfig", "SaveConfigMode"]
