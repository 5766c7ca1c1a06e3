"""What a run leaves for people to look at: pictures, and a folder with everything it made."""

from chainrule.report.curves import learning_curves
from chainrule.report.network_drawing import draw_network

__all__ = ["draw_network", "learning_curves"]
