"""virt-manager itself, with a person's clicks."""

from pathlib import Path

import zlab
from toolbox.pools import make_pool, volumes
from zlab import CHECKOUT, Lab, sh, virsh, zraid


def network(lab: Lab) -> None:
    """The network that virt-manager gives to a new machine."""
    sh(["modprobe", "-a", "bridge", "tun"])
    lab.defer(sh, ["ip", "link", "delete", "lab0"])
    sh(["ip", "link", "add", "lab0", "type", "bridge"])
    # SPICE listens on 127.0.0.1 only where a network with an address is there.
    sh(["ip", "address", "add", "192.0.2.1/24", "dev", "lab0"])
    sh(["ip", "link", "set", "lab0", "up"])
    lab.defer(virsh, "net-undefine", "default")
    virsh("net-define", "/dev/stdin", input="<network><name>default</name><forward mode='bridge'/>"
                                            "<bridge name='lab0'/></network>")
    lab.defer(virsh, "net-destroy", "default")
    virsh("net-start", "default")


def remove(domain: str) -> None:
    virsh("destroy", domain, check=False)
    virsh("undefine", domain, "--nvram", check=False)


@zlab.options(timeout=600)
def test_choosing_a_volume(lab: Lab) -> None:
    """A volume of each layout is chosen for a new machine from virt-manager's list of volumes; the
    machine runs on the last of them, and its pool has the RAM leg. The pictures are those of
    docs/images."""
    # virt-manager makes its pool 'default' where there is none.
    lab.defer(virsh, "pool-undefine", "default")
    lab.defer(virsh, "pool-destroy", "default")
    network(lab)
    lab.defer(remove, "web")
    make_pool(lab, "files", "512M", "--type", "fs")
    make_pool(lab, "groups", "128M", "--type", "logical")
    pool = make_pool(lab, "plain", "128M")
    for name, *words in (("files", "--name", "web.img"), ("groups", "--name", "web"), ("plain",)):
        zraid("vol-create", name, "64M", *words)
    (partition,) = volumes("plain")
    sh(["dbus-run-session", "--", CHECKOUT / "tests/lab/programs/choose_volume.py", "web", lab.share,
        "files/web.img", "groups/web", f"plain/{partition}"], timeout=550)
    pictures = {picture.name for picture in Path(lab.share).glob("*.png")}
    assert pictures == {"files.png", "groups.png", "plain.png", "ready.png"}, pictures
    assert pool.fill().users == ["web"]
    remove("web")
    pool.assert_at_rest()
