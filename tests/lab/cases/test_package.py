"""The Debian package, from its installation to its purge."""

import os
from pathlib import Path

import zlab
from toolbox.pools import DEFINITIONS, HOOK, Now, get, make_pool
from zlab import MIB, Domain, Lab, sh, virsh, zraid


@zlab.options(fresh=True, timeout=600)
def test_life_of_the_package(lab: Lab) -> None:
    """What is installed does the main job; an upgrade leaves a pool as it is, under a running
    domain too; removal is refused while a pool has its RAM leg, and otherwise stops the arrays and
    keeps definitions and images; a purge keeps images alone, and takes the storage pools away."""
    package = Path(os.environ["LAB_STAGE"]).parent / "zraid.deb"
    sh(["dpkg", "-i", package])
    for file in (HOOK, "/usr/sbin/zraid-pool"):
        assert sh(["dpkg", "-S", file]).out.startswith("zraid: ")

    pool = make_pool(lab, "packed", "64M")
    domain = lab.use(Domain("user", [{"dev": pool.md}]))
    domain.start()
    assert pool.fill().users == ["user"]
    domain.write(MIB, 4096, 0x77, flush=True)
    running = pool.now()

    refused = sh(["dpkg", "-r", "zraid"], check=False)
    assert refused.rc != 0 and "pools that have their RAM leg: packed" in refused.err, refused
    sh(["dpkg", "-i", package])
    assert HOOK.exists() and pool.now() == running
    domain.check(MIB, 4096, 0x77)
    domain.destroy()
    pool.assert_at_rest()

    sh(["dpkg", "-r", "zraid"])
    assert not HOOK.exists() and not Path("/usr/sbin/zraid-pool").exists()
    assert zlab.mds() == {} and zlab.loops() == {} and zlab.zrams() == []
    assert (DEFINITIONS / "packed.xml").exists()

    sh(["dpkg", "-i", package])
    zraid("start", "packed")
    assert pool.now() == Now("disk-only", [], "")
    assert get(pool.md, MIB)[:4096] == b"\x77" * 4096

    sh(["dpkg", "-P", "zraid"])
    assert zlab.mds() == {} and zlab.loops() == {}
    # The lab mounts a disk on the folder, so the folder itself stays.
    assert list(Path("/etc/zraid").iterdir()) == [] and pool.image.exists()
    assert "packed" not in virsh("pool-list", "--all", "--name").out.split()
