"""What zraid-pool doctor says of a host that is well, and of one that is not."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Dict, List

import zlab
from toolbox.pools import HOOK, make_pool
from zlab import Lab, sh, zraid


def findings(code: int) -> Dict[str, List[str]]:
    """What was said, by how bad it is."""
    done = zraid("doctor", "--json", check=False)
    assert done.rc == code, done
    said: Dict[str, List[str]] = {}
    for finding in json.loads(done.out):
        said.setdefault(finding["severity"], []).append(f"{finding['subject']}: {finding['what']}")
    return said


def test_a_host(lab: Lab) -> None:
    """Nothing is wrong with the lab and a pool in it; a hook that is not executable, a daemon that
    is older than the hook or does not answer, and a disk leg that is gone are found."""
    pool = make_pool(lab, "examined", "64M")
    pool.attach_and_fill()
    said = findings(0)
    assert "error" not in said, said
    assert "pool 'examined': mirrored" in said["ok"], said
    assert "pool 'examined': its storage pool is active" in said["ok"], said
    assert any("raid1 works" in line for line in said["ok"]), said
    plain = zraid("doctor").out
    assert "\x1b" not in plain and "ok      pool 'examined': mirrored\n" in plain

    lab.defer(HOOK.chmod, 0o755)
    HOOK.chmod(0o644)
    assert any("not executable" in line for line in findings(1)["error"])
    HOOK.chmod(0o755)
    # A second, at least, behind the daemon's start.
    assert any("runs since before" in line for line in findings(0)["warning"])

    zlab.kill_libvirtd()
    lab.defer(zlab.start_libvirtd)
    assert any(line.startswith("libvirt: ") for line in findings(1)["error"])
    zlab.start_libvirtd()
    assert any("was started behind it" in line for line in findings(0)["ok"])


def test_a_libvirt_that_cannot(lab: Lab) -> None:
    """A storage backend that libvirt lacks, as where it is a package of its own, is named with its
    package, for a type that is asked for; a daemon that does not answer is told, and not waited for."""
    backends = Path("/usr/lib/x86_64-linux-gnu/libvirt/storage-backend")
    fewer = lab.dir / "backends"
    lab.defer(zlab.start_libvirtd)
    zlab.kill_libvirtd()
    shutil.copytree(backends, fewer)
    for kind in ("disk", "logical"):
        (fewer / f"libvirt_storage_backend_{kind}.so").unlink()
    sh(["mount", "--bind", fewer, backends])
    lab.defer(sh, ["umount", backends])
    zlab.start_libvirtd()
    lab.defer(zlab.kill_libvirtd)
    assert [line for line in findings(1)["error"] if "backend" in line] == [
        "libvirt: it has no backend for storage pools of type disk"]
    assert "apt install libvirt-daemon-driver-storage-disk" in zraid("doctor", check=False).out

    (daemon,) = zlab.pids_of("libvirtd")
    os.kill(daemon, signal.SIGSTOP)
    lab.defer(os.kill, daemon, signal.SIGCONT)
    assert any("does not answer within 15 s" in line for line in findings(1)["error"])
