"""What people look at after a training: pictures, and the report of a run as a page."""

from chainrule.report.curves import learning_curves
from chainrule.report.network_drawing import draw_network

__all__ = ["draw_network", "learning_curves"]
