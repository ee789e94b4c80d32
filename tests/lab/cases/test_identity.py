"""The right disk, always: no name has two meanings, no number is given to another pool while a
domain names it, and every way in which a domain reaches a pool is a use of it."""

import os
from pathlib import Path
from typing import Dict

import zlab
from toolbox.pools import Pool, assert_one_line, assert_silent, hook, make_pool, prepare, release, with_uuid
from zlab import MIB, Domain, Lab, sh, virsh, wait_for, zraid

LINKS = Path("/dev/zraid")


def links() -> Dict[str, str]:
    return {str(link.relative_to(LINKS)): str(link.resolve()) for link in LINKS.glob("*/*")}


@zlab.options(timeout=240)
def test_two_names(lab: Lab) -> None:
    """Pools and volumes whose names, put together, are the same have a name each; the array below a
    volume group has none that a volume may have. A link that leads elsewhere is corrected when a
    domain starts, and one to another pool's volume is refused."""
    web = make_pool(lab, "web", "96M", "--type", "logical")
    web_data = make_pool(lab, "web-data", "96M", "--type", "logical")
    zraid("vol-create", "web", "20M", "--name", "data-root")
    zraid("vol-create", "web", "20M", "--name", "array")
    zraid("vol-create", "web-data", "20M", "--name", "root")
    wanted = {"web/data-root": "/dev/web/data-root", "web/array": "/dev/web/array",
              "web-data/root": "/dev/web-data/root"}
    wanted = {name: str(Path(node).resolve()) for name, node in wanted.items()}
    wait_for(lambda: links() == wanted, f"the links are {wanted}")

    domain = with_uuid(Domain("user", [{"dev": "/dev/zraid/web/data-root"}]))
    link = LINKS / "web/data-root"
    link.unlink()
    link.symlink_to("../../" + Path("/dev/web-data/root").resolve().name)
    assert_silent(prepare(domain))
    assert links() == wanted
    assert web.now().users == ["user"] and web_data.now().users == []
    assert_silent(release(domain))

    disk = make_pool(lab, "plain", "32M", "--no-libvirt")
    other = zlab.name_of(web.md) + "p1"
    (LINKS / "plain").mkdir(exist_ok=True)
    (LINKS / "plain" / other).symlink_to("../../" + zlab.name_of(web.md))
    domain = with_uuid(Domain("lost", [{"dev": f"/dev/zraid/plain/{other}"}]))
    assert_one_line(prepare(domain), 1, f"/dev/zraid/plain/{other}", "no volume of pool 'plain'", "Next:")
    release(domain)
    domain = with_uuid(Domain("old", [{"dev": "/dev/zraid/web-data-root"}]))
    assert_one_line(prepare(domain), 1, "/dev/zraid/web-data-root", "virsh edit", "Next:")
    release(domain)
    assert disk.now().users == []


@zlab.options(timeout=240)
def test_number_again(lab: Lab) -> None:
    """The number of a pool that is gone is given to no other while a domain names it. undefine and
    vol-delete name the domains, and refuse unless told; and a domain is not let onto a stranger's
    array that has its pool's number."""
    first = make_pool(lab, "first", "64M")
    number = first.md
    volume = zlab.name_of(first.add_volume("20M"))
    assert f"/dev/zraid/first/{volume}" in zraid("disk-xml", "first", volume).out
    users = [lab.use(Domain("by-number", [{"dev": f"/dev/{volume}"}])).define(),
             lab.use(Domain("by-name", [{"dev": f"/dev/zraid/first/{volume}"}])).define(),
             lab.use(Domain("by-volume", [{"pool": "first", "volume": volume}])).define()]
    for words in (["vol-delete", "first", volume, "--yes"], ["undefine", "first"]):
        done = zraid(*words, check=False)
        assert_one_line(done, 1, "by-number", "by-name", "by-volume", "--keep-references")
    assert Path(f"/dev/{volume}").is_block_device()
    zraid("vol-delete", "first", volume, "--yes", "--keep-references")
    zraid("undefine", "first", "--keep-references", "--remove-image", "--yes")

    second = make_pool(lab, "second", "64M")
    assert second.md != number, second.md
    for user in users:
        virsh("undefine", user.name)
    third = make_pool(lab, "third", "64M", "--no-libvirt")
    assert third.md == number, "nobody names it any more"

    # A stranger's array takes the number while the pool is down.
    zraid("stop", "third")
    image = lab.dir / "strange"
    with open(image, "wb") as file:
        file.truncate(32 * MIB)
    loop = sh(["losetup", "-f", "--show", image]).out.strip()
    lab.defer(sh, ["losetup", "-d", loop])
    lab.defer(lambda: sh(["mdadm", "--stop", third.md], check=False))
    sh(["mdadm", "--create", third.md, "--run", "--quiet", "--level=1", "--raid-devices=2",
        "--metadata=1.2", "--homehost=any", loop, "missing"])
    for dev in (third.md, f"{third.md}p1", "/dev/zraid/third/array"):
        domain = with_uuid(Domain("astray", [{"dev": dev}]))
        assert_one_line(prepare(domain), 1, "third", "Next:")
        release(domain)
    zlab.settle()
    sh(["mdadm", "--stop", third.md])
    zraid("start", "third")


def overlay(path: Path, backing: str, backing_format: str, kind: str = "qcow2") -> Path:
    sh(["qemu-img", "create", "-q", "-f", kind, "-F", backing_format, "-b", backing, path])
    return path


def reaches(pool: Pool, domain: Domain, xml: str) -> None:
    """A domain with this XML is a user of the pool, also when that is down."""
    zraid("stop", pool.name)
    assert_silent(hook(domain.name, "prepare", "begin", xml))
    now = pool.now()
    assert now.users == [domain.name] and now.ram, (now, xml)
    assert_silent(hook(domain.name, "release", "end", xml))
    pool.assert_at_rest()


@zlab.options(timeout=300)
def test_every_way_to_a_pool(lab: Lab) -> None:
    """Overlays whose chain libvirt has not read, and what else a domain opens."""
    pool = make_pool(lab, "base", "64M", "--no-libvirt")
    volume = pool.add_partition()
    plain = lab.dir / "plain"
    plain.touch()
    domain = with_uuid(Domain("web", [{"file": str(plain), "format": "qcow2"}]))
    xml = domain.xml()
    assert str(plain) in xml and "qcow2" in xml, xml
    top = overlay(lab.dir / "top", volume, "raw")
    chain = overlay(lab.dir / "chain", "top", "qcow2")
    qed = overlay(lab.dir / "qed", volume, "raw", "qed")
    file = f'{{"driver":"host_device","filename":"{volume}"}}'
    json_name = overlay(lab.dir / "json", f'json:{{"driver":"raw","file":{file}}}', "raw")
    for image, kind in ((top, "qcow2"), (chain, "qcow2"), (qed, "qed"), (json_name, "qcow2")):
        reaches(pool, domain, xml.replace(str(plain), str(image)).replace("qcow2", kind))
    for name in ("kernel", "initrd", "nvram", "loader"):
        reaches(pool, domain, xml.replace("<os>", f"<os><{name}>{volume}</{name}>"))
    for device in (f"<filesystem type='block'><source dev='{volume}'/><target dir='x'/></filesystem>",
                   f"<disk type='file'><source file='{plain}'/><mirror type='block'><source dev='{volume}'/>"
                   f"</mirror><target dev='vdb'/></disk>"):
        reaches(pool, domain, xml.replace("</devices>", device + "</devices>"))

    # What a guest writes into a raw volume never makes it an overlay.
    raw = make_pool(lab, "raw", "64M", "--no-libvirt")
    inside = raw.add_partition()
    sh(["dd", f"if={top}", f"of={inside}", "bs=64k", "oflag=direct"])
    guest = with_uuid(Domain("guest", [{"dev": inside}]))
    assert_silent(prepare(guest))
    assert raw.now().users == ["guest"] and pool.now().users == []
    assert_silent(release(guest))
    over = overlay(lab.dir / "over", inside, "raw")
    text = xml.replace(str(plain), str(over))
    assert_silent(hook("web", "prepare", "begin", text))
    assert raw.now().users == ["web"] and pool.now().users == []
    assert_silent(hook("web", "release", "end", text))


@zlab.options(timeout=240)
def test_a_domain_on_an_overlay(lab: Lab) -> None:
    """With libvirt and QEMU: it starts when the pool is down, and has its RAM leg."""
    pool = make_pool(lab, "below", "64M")
    volume = pool.add_volume("20M")
    top = overlay(lab.dir / "top", volume, "raw")
    os.chmod(top, 0o666)
    domain = lab.use(Domain("over", [{"file": str(top), "format": "qcow2"}]))
    zraid("stop", "below")
    domain.start()
    assert pool.fill().users == ["over"]
    domain.destroy()
    pool.assert_at_rest()
