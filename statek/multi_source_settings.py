"""Documented path of settings that ask further sources."""

from statek.settings import MultiSourceBaseSettings, SettingValuesSource

__all__ = ["MultiSourceBaseSettings", "SettingValuesSource"]
