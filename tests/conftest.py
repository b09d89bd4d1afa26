"""One thread for linear algebra, and the same random programs in every run.

The arrays of the tests are too small to share out.  SYMBP_RANDOM=1 draws programs anew.
"""

import os

from hypothesis import settings

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read when numpy is first imported

settings.register_profile("same", derandomize=True)
if os.environ.get("SYMBP_RANDOM") != "1":
    settings.load_profile("same")
