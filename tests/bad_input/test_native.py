"""The compiled core's own boundary: what does not fit is an exception, never a crash.

The package hands it none of this; its own checks are what keeps a bug above an exception.
"""

from tests.engine_names import needs_native

pytestmark = needs_native
