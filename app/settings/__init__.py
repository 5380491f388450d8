"""Every setting: its name in the environment or in the YAML file, type, default, unit and help."""

from app.settings.settings import Settings

__all__ = ["Settings"]
