"""What every test shares: float64 in JAX, and how hypothesis searches.

The default profile draws the same examples on every machine, so a red run is red for everyone.
`pytest --hypothesis-profile=explore` looks further.
"""

import jax
from hypothesis import settings

jax.config.update("jax_enable_x64", True)

# No deadline: the first call of a shape waits for JAX's compiler.
settings.register_profile("reproducible", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("reproducible")
