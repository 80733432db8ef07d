"""Relative geological time (RGT) of a whole volume from its increments, which can be blended where RGT itself cannot.

A model that sees a tile knows RGT up to a constant of the tile. Its increments along each axis know no constant, and
they hold the throw where a fault is crossed. From increments g that were blended over the volume, the result is the r
that minimises |grad r - g|^2: normal equations L r = div, with L = D'D, div = D'g and D the difference of neighbours.
No sample beyond the volume takes part, so cosines (DCT-II) turn L into its eigenvalues, exactly.

A volume that does not fit the memory is solved on two levels. With t = b^2 / 2 the solution r of any right-hand side
obeys, and this is exact,

    r = exp(-tL) r + q(L) div,    q(L) = (1 - exp(-tL)) / L

exp(-tL) is a Gaussian of standard deviation b samples, and q(L) is the sum of all narrower ones. So whatever is longer
than a few b is taken from a solution of the whole volume on a grid of every b-th sample, and the rest from the
increments nearby: what lies 4 b away has a weight of erfc(4 / sqrt 2) = 6e-5. Of an error of the coarse solution
exp(-pi^2 / 2) = 0.007 stays at a wavelength of 2 b. A screened solution, with pull / (L + pull) for exp(-tL), leaves
0.37 there if it shall be as local, since its influence falls as exp(-distance sqrt(pull)) only.
"""

from seisloom.inference.integrate.plan import Integration, plan_integration
from seisloom.inference.integrate.throws import with_throws
from seisloom.inference.integrate.volume import integrate_volume
from seisloom.inference.integrate.whole import (
    increment,
    increments,
    integrate,
    integrate_near,
    integrate_weighted,
    rising,
)

__all__ = [
    "Integration", "increment", "increments", "integrate", "integrate_near", "integrate_volume", "integrate_weighted",
    "plan_integration", "rising", "with_throws",
]  # fmt: skip
