"""Every test here that takes `engine` runs on every engine."""

from tests.engine_names import engine, engine_name

__all__ = ["engine", "engine_name"]
