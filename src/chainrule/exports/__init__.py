"""Export of models to other programs: each target has a module that writes a `Program`."""

from chainrule.exports.export_file import TARGETS, export

__all__ = ["TARGETS", "export"]
