"""Pictures of what was measured and derived, from plain numbers to a file; nothing is computed.

matplotlib, the extra `plot`, is imported when a picture is drawn and not before.
"""

from symbp.figures.curves import activation, losses
from symbp.figures.sheet import check_figure
from symbp.figures.terrain import Terrain, landscape
from symbp.figures.variances import Curve, spread

__all__ = ["Curve", "Terrain", "activation", "check_figure", "landscape", "losses", "spread"]
