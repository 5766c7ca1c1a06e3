"""Models for other programs: each target a module, each given a `Program`."""

from chainrule.exports.export_file import TARGETS, export

__all__ = ["TARGETS", "export"]
