"""What a program does where the system has no more threads to give."""

import subprocess
import sys

# In front of a program, after its imports: from here on no thread can be started. (The limit is the
# user's, and root has none: another user is taken.)
NO_MORE_THREADS = """
import os, resource, sys, threading
if os.geteuid() == 0:
    os.setgroups([])
    os.setresuid(64321, 64321, 64321)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    threading.Thread(target=lambda: None).start()
except RuntimeError:
    pass
else:
    sys.exit(77)
"""
NO_SUCH_LIMIT = 77


def outcome_without_threads(imports, program):
    """Run `program` where no thread can be started; None: this system has no such limit."""
    code = f"{imports}\ntry:\n    import resource\nexcept ImportError:\n    raise SystemExit(77)\n"
    result = subprocess.run(
        [sys.executable, "-c", code + NO_MORE_THREADS + program],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return None if result.returncode == NO_SUCH_LIMIT else result
