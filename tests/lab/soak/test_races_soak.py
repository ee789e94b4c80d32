"""Five minutes of races: tests/soak races"""

import zlab
from scenarios import racing


@zlab.options(timeout=2400)
def test_all_at_once(lab: zlab.Lab) -> None:
    """Twenty domains start and end on eight pools for five minutes."""
    racing.run(lab, 300, domains=20, pools=8)
