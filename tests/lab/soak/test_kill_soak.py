"""A kill at every step: tests/soak kill"""

import zlab
from scenarios import kills


@zlab.options(timeout=7200)
def test_every_step(lab: zlab.Lab) -> None:
    """start, stop, attach, detach, and the hook, killed at each of their system calls in turn."""
    kills.run(lab, lambda calls: calls)
