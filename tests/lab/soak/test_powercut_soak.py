"""Fifty power cuts: tests/soak powercut"""

import zlab
from scenarios import powercuts


@zlab.options(timeout=3600)
def test_fifty_cuts(lab: zlab.Lab) -> None:
    """What was flushed is there after each of fifty power cuts."""
    powercuts.run(lab, 50)
