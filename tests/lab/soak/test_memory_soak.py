"""Five minutes of memory pressure: tests/soak memory"""

import zlab
from scenarios import squeezing
from toolbox.pools import make_pool


@zlab.options(fresh=True, memory=1024, timeout=900)
def test_pressure(lab: zlab.Lab) -> None:
    """A writer gets on for five minutes while memory is taken and given back."""
    pool = make_pool(lab, "squeezed", "128M", "--no-libvirt")
    pool.attach_and_fill()
    squeezing.run(lab, pool, 300)
