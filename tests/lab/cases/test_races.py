"""Starts, ends, attaches, detaches and looks at the same pools at the same time."""

import zlab
from scenarios import racing


@zlab.options(timeout=900)
def test_all_at_once(lab: zlab.Lab) -> None:
    """For a minute six domains (twenty in the soak) start and end on eight pools, two pools each, while
    the pools are attached and detached by hand and libvirt refreshes them: no start and no command
    fails, and then all pools are at rest and whole."""
    racing.run(lab, 60, domains=6, pools=8)
