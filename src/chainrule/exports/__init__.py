"""Models for other programs: one module per target, each of which writes a `Program`."""

from chainrule.exports.export_file import TARGETS, export

__all__ = ["TARGETS", "export"]
