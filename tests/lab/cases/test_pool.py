"""zraid-pool: what each command does, twice, and what it leaves."""

import json
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import List

import zlab
from toolbox.faults import write_pattern
from toolbox.pools import (DATA_OFFSET, DEFINITIONS, Now, Pool, assert_one_line, assert_same, drop_pool, get,
                   hook, make_pool, place_in_image, prepare, put, release, sparse, storage_pools,
                   system, volumes, wait_for_device, with_uuid)
from zlab import GIB, KIB, MIB, TIB, Domain, Done, Lab, sh, sysfs, virsh, wait_for, zraid

NOWHERE = "qemu+unix:///system?socket=/nonexistent"     # no libvirtd listens there


def examined(device: object) -> dict:
    """mdadm --examine of a leg."""
    lines = sh(["mdadm", "--examine", str(device)]).out.splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(" : ") for line in lines) if value}


def types(value: object) -> object:
    """The shape of a JSON document."""
    if isinstance(value, dict):
        return {key: types(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [types(inner) for inner in value]
    return type(value)


def test_life_with_libvirt(lab: Lab) -> None:
    """Every command of a pool's life twice: the second time changes nothing. An undefined pool
    leaves its image, which a new definition takes up with its volumes and data, under another md
    number as well."""
    again = ["define", "life", "--image", lab.dir / "life.img", "--size", "64M"]
    pool = make_pool(lab, "life", "64M")
    uuid = pool.info()["uuid"]
    assert storage_pools() == {"life": ["active", "yes"]}
    assert virsh("pool-uuid", "life").out.strip() == uuid
    part = pool.add_volume("20M")
    assert part == f"{pool.md}p1"
    assert volumes("life") == {zlab.name_of(part): 20 * MIB}
    put(part, MIB, 0x5A)

    def twice(*words: object, then: tuple) -> None:
        for _ in range(2):
            zraid(*words)
            info = pool.info()
            assert (info["state"], storage_pools()["life"][0]) == then, words
            assert info["uuid"] == uuid

    twice(*again, then=("disk-only", "active"))
    zraid("attach", "life")
    leg = pool.fill().ram
    twice("attach", "life", then=("mirrored", "active"))
    assert pool.now().ram == leg
    assert get(part, MIB) == b"\x5a" * 8192
    twice("detach", "life", then=("disk-only", "active"))
    twice("stop", "life", then=("inactive", "inactive"))
    assert zlab.mds() == {} and zlab.loops() == {} and zlab.zrams() == []
    twice("detach", "life", then=("inactive", "inactive"))
    twice("start", "life", then=("disk-only", "active"))
    assert get(wait_for_device(part), MIB) == b"\x5a" * 8192

    zraid("undefine", "life")
    assert storage_pools() == {} and zlab.mds() == {} and zlab.loops() == {}
    assert not (DEFINITIONS / "life.xml").exists()
    assert_one_line(zraid("undefine", "life", check=False), 1, "no pool 'life'")

    zraid(*again, "--md", "222")
    info = pool.info()
    assert (info["md"], info["uuid"], info["state"]) == ("/dev/md222", uuid, "disk-only")
    assert volumes("life") == {"md222p1": 20 * MIB}
    assert get(wait_for_device("/dev/md222p1"), MIB) == b"\x5a" * 8192
    zraid("undefine", "life", "--remove-image", "--yes")
    assert not pool.image.exists() and storage_pools() == {}


def test_json(lab: Lab) -> None:
    """The fields of info, list and budget and their types, in each state: an interface."""
    pool = make_pool(lab, "fields", "64M", "--ram-limit", "32M", "--description", "a note")
    domain = with_uuid(Domain("field-user", [{"dev": pool.md}]))
    fixed = {"name": str, "uuid": str, "description": str, "type": str, "image": str, "image_type": str,
             "size_bytes": int, "md": str, "state": str, "fill_percent": type(None), "attach": str,
             "libvirt": bool, "autostart": bool, "bitmap_chunk_bytes": int, "ram_limit_bytes": int}
    leg = {"device": str, "in_sync": bool}

    def assert_fields(expected: dict) -> dict:
        # Two looks; md may write its superblock in between, which changes what the RAM leg takes.
        info = wait_for(lambda: (seen := pool.info()) and json.loads(
            zraid("list", "--json", quiet=True).out) == [seen] and seen, "list tells the same as info")
        seen = types(info)
        for key, kind in expected.items():
            if isinstance(kind, dict):
                assert isinstance(seen[key], dict) and kind.items() <= seen[key].items(), (key, seen[key])
            else:
                assert seen[key] == kind, (key, seen[key])
        return info

    info = assert_fields({**fixed, "ram": type(None), "disk": leg, "users": []})
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", info["uuid"])
    assert (info["name"], info["type"], info["size_bytes"]) == ("fields", "disk", 64 * MIB)
    assert (info["image"], info["ram_limit_bytes"]) == (str(pool.image), 32 * MIB)
    assert (info["attach"], info["description"]) == ("on-demand", "a note")
    assert (info["libvirt"], info["autostart"]) == (True, True)
    assert zlab.loops() == {zlab.name_of(info["disk"]["device"]): str(pool.image)}

    prepare(domain)
    pool.fill()
    ram = {**leg, "fill": str, "compressor": str, "limit_bytes": int, "data_bytes": int, "stored_bytes": int,
           "table_bytes": int}
    info = assert_fields({**fixed, "ram": ram, "disk": leg, "users": [{"name": str, "uuid": str}]})
    assert (info["ram"]["limit_bytes"], info["ram"]["in_sync"]) == (32 * MIB, True)
    assert info["ram"]["table_bytes"] > 0
    assert info["users"] == [{"name": domain.name, "uuid": domain.uuid}]

    budget = json.loads(zraid("budget", "--json").out)
    (line,) = budget.pop("pools")
    assert types(budget) == {"mem_total_bytes": int, "mem_available_bytes": int, "room_bytes": int}
    assert budget["mem_total_bytes"] == 1024 * int(Path("/proc/meminfo").read_text().split()[1])
    assert types(line) == {"name": str, "state": str, "table_bytes": int, "stored_bytes": int,
                           "worst_bytes": int, "fits": bool}
    assert (line["name"], line["state"], line["fits"]) == ("fields", "mirrored", True)
    assert line["worst_bytes"] == 32 * MIB + line["table_bytes"]

    release(domain)
    zraid("stop", "fields")
    assert_fields({**fixed, "ram": type(None), "disk": type(None), "users": []})


def test_tables(lab: Lab) -> None:
    """What people read: list, info, budget, vol-list, dumpxml, in each case with what matters."""
    assert zraid("list").out.split() == ["NAME", "STATE", "FILL", "MD", "SIZE", "RAM", "USERS", "IMAGE"]
    assert json.loads(zraid("list", "--json").out) == []
    pool = make_pool(lab, "table", "64M", "--description", "for people", "--no-libvirt")
    domain = with_uuid(Domain("reader", [{"dev": pool.md}]))
    prepare(domain)
    pool.fill()
    _, row = zraid("list").out.splitlines()
    assert row.split()[:4] == ["table", "mirrored", "-", pool.md]
    assert "64 MiB" in row and "reader" in row and str(pool.image) in row
    text = zraid("info", "table").out
    for words in ("for people", "64 MiB", "mirrored", pool.md, str(pool.image), f"reader {domain.uuid}"):
        assert words in text, words
    text = zraid("budget").out
    assert "table" in text and "mirrored" in text
    release(domain)
    dumped = zraid("dumpxml", "table").out
    assert dumped == (DEFINITIONS / "table.xml").read_text()
    assert (DEFINITIONS / "table.xml").stat().st_mode & 0o777 == 0o600
    copy = lab.dir / "dumped.xml"
    copy.write_text(dumped)
    sh(["xmllint", "--noout", "--relaxng", "/usr/share/zraid/zraidpool.rng", copy])


def test_metadata(lab: Lab) -> None:
    """What is on the legs: metadata 1.2, data at 1 MiB, a bitmap with the chosen chunk, no list of
    bad blocks on either; the disk leg in slot 0 and write-mostly, the RAM leg in slot 1; no
    write-behind; compressor and limit have reached zram."""
    modules = sh(["modprobe", "zram", "num_devices=0"])
    assert modules.rc == 0
    pool = make_pool(lab, "meta", "64M", "--no-libvirt", "--bitmap-chunk", "1M",
                     "--compressor", "zstd", "--ram-limit", "24M")
    name = zlab.name_of(pool.md)
    zraid("attach", "meta")
    pool.fill()
    info = pool.info()
    loop, zram = (zlab.name_of(info[leg]["device"]) for leg in ("disk", "ram"))
    uuid = info["uuid"].replace("-", "")
    for leg, role in ((pool.image, "0"), (f"/dev/{zram}", "1")):
        facts = examined(leg)
        assert facts["Version"] == "1.2"
        assert facts["Data Offset"].startswith("2048 sectors")
        assert facts["Array UUID"].replace(":", "") == uuid
        assert facts["Name"].split()[0] == "zraid:meta"
        assert facts["Internal Bitmap"].startswith("8 sectors")
        assert "Bad Block Log" not in facts
        assert facts["Device Role"] == f"Active device {role}"
        assert ("write-mostly" in facts.get("Flags", "")) == (leg == pool.image), facts.get("Flags")
    for device, slot, state in ((loop, "0", {"in_sync", "write_mostly"}), (zram, "1", {"in_sync"})):
        folder = f"md/dev-{device}"
        assert sysfs(name, f"{folder}/slot") == slot
        assert set(sysfs(name, f"{folder}/state").split(",")) == state
        assert sysfs(name, f"{folder}/bad_blocks") == ""
        assert sysfs(device, "queue/logical_block_size") == "4096"
    assert sysfs(name, "queue/logical_block_size") == "4096"
    assert sysfs(name, "md/bitmap/chunksize") == str(MIB)
    assert sysfs(name, "md/bitmap/backlog") == "0"
    assert "[zstd]" in sysfs(zram, "comp_algorithm")
    assert sysfs(zram, "disksize") == str(64 * MIB)
    assert int(sysfs(zram, "mm_stat").split()[3]) == 24 * MIB
    assert (info["ram"]["compressor"], info["ram"]["limit_bytes"]) == ("zstd", 24 * MIB)
    assert sysfs(loop, "loop/dio") == "0"
    # Sizes: md keeps 1 MiB in front.
    assert int(sysfs(name, "size")) * 512 == 64 * MIB - DATA_OFFSET
    assert pool.mismatches() == 0


def test_defaults_of_zram(lab: Lab) -> None:
    """Without options: the kernel's compressor, a limit of the image's size (never none), a bitmap
    of 16 MiB a bit, autostart."""
    pool = make_pool(lab, "plain", "64M", "--no-libvirt")
    zraid("attach", "plain")
    info = pool.info()
    zram = info["ram"]["device"]
    assert f"[{info['ram']['compressor']}]" in sysfs(zram, "comp_algorithm")
    assert int(sysfs(zram, "mm_stat").split()[3]) == info["ram"]["limit_bytes"] == 64 * MIB
    assert info["ram_limit_bytes"] is None
    assert info["bitmap_chunk_bytes"] == 16 * MIB
    assert sysfs(pool.md, "md/bitmap/chunksize") == str(16 * MIB)


def test_options_of_define(lab: Lab) -> None:
    """--preallocate, --no-autostart, --no-libvirt, --attach always, --md, and sizes as virsh reads
    them; the smallest and the largest image, and the smallest chunks of the bitmap that suit one."""
    sparse_pool = make_pool(lab, "smallest", "16MiB", "--no-libvirt")
    assert sparse_pool.image.stat().st_size == 16 * MIB
    assert sparse_pool.image.stat().st_mode & 0o777 == 0o600
    assert sparse_pool.image.stat().st_blocks * 512 < 4 * MIB
    full = make_pool(lab, "full", "33554432", "--no-libvirt", "--preallocate", "--md", "7")
    assert full.image.stat().st_size == 32 * MIB
    assert full.image.stat().st_blocks * 512 >= 32 * MIB
    assert full.md == "/dev/md7"
    largest = make_pool(lab, "largest", "16T", "--no-libvirt")
    assert largest.image.stat().st_size == 16 * TIB
    assert int(sysfs(largest.md, "size")) * 512 == 16 * TIB - DATA_OFFSET
    assert largest.image.stat().st_blocks * 512 < 16 * MIB
    assert storage_pools() == {}
    assert {pool.md for pool in (sparse_pool, largest)} == {"/dev/md100", "/dev/md101"}
    for pool in (sparse_pool, full, largest):
        zraid("undefine", pool.name, "--remove-image", "--yes")

    # What is proposed for a chunk that is too small works, and half of it does not.
    for name, size in (("medium", "4G"), ("large", "16T")):
        options = ("--no-libvirt", "--bitmap-chunk")
        words = ["define", name, "--image", lab.dir / f"{name}.img", "--size", size, *options]
        before = system(lab.dir)
        refused = zraid(*words, "64K", check=False)
        assert_one_line(refused, 2, "bitmap chunk", "such as")
        number, unit = re.search(r"such as (\d+) (KiB|MiB)", refused.err).groups()
        proposed = int(number) * {"KiB": KIB, "MiB": MIB}[unit]
        assert_one_line(zraid(*words, proposed // 2, check=False), 2, "bitmap chunk")
        assert_same(before, system(lab.dir))
        make_pool(lab, name, size, *options, str(proposed))
        zraid("undefine", name, "--remove-image", "--yes")

    make_pool(lab, "sleepy", "67108865", "--no-autostart")      # rounded up to whole sectors
    assert storage_pools() == {"sleepy": ["active", "no"]}
    assert zlab.info("sleepy")["size_bytes"] == 64 * MIB + 4096


def test_attach_always(lab: Lab) -> None:
    """--attach always: the RAM leg is there from define and start to stop, domain or not."""
    pool = make_pool(lab, "always", "64M", "--no-libvirt", "--attach", "always")
    leg = pool.fill().ram
    domain = with_uuid(Domain("visitor", [{"dev": pool.md}]))
    prepare(domain)
    release(domain)
    assert pool.now() == Now("mirrored", [], leg)
    zraid("stop", "always")
    assert zlab.zrams() == []
    zraid("start", "always")
    assert pool.fill().ram != leg


def test_filling_and_wait(lab: Lab) -> None:
    """While it fills: the state, a percentage that grows, wait that gives up in time, a detach and a
    new attach; a wait that was begun before ends when it is mirrored."""
    pool = make_pool(lab, "filling", "64M", "--no-libvirt")
    data = os.urandom(40 * MIB)
    with open(pool.md, "r+b") as device:
        device.write(data)
        os.fsync(device.fileno())
    md = Path("/sys/block") / zlab.name_of(pool.md) / "md"
    assert_one_line(zraid("wait", "filling", check=False), 1, "disk-only", "zraid-pool attach filling")

    (md / "sync_speed_min").write_text("1000")      # KiB/s: 40 s for it all
    (md / "sync_speed_max").write_text("1000")
    zraid("attach", "filling")
    first = pool.info()
    assert (first["state"], first["ram"]["in_sync"], first["disk"]["in_sync"]) == ("filling", False, True)
    assert isinstance(first["fill_percent"], (int, float)) and 0 <= first["fill_percent"] < 60
    assert_one_line(zraid("wait", "filling", "--timeout", "0.5", check=False), 1, "still filling")
    wait_for(lambda: pool.info()["fill_percent"] > first["fill_percent"], "the percentage grows")
    leg = pool.now().ram
    zraid("attach", "filling")
    assert pool.now() == Now("filling", [], leg)
    zraid("detach", "filling")
    pool.assert_at_rest()
    assert zlab.zrams() == []

    zraid("attach", "filling")
    assert pool.now().state == "filling"
    waiting = subprocess.Popen(["zraid-pool", "wait", "filling"], stdout=subprocess.PIPE, text=True)
    lab.defer(waiting.kill)
    (md / "sync_speed_max").write_text("8388608")
    out, _ = waiting.communicate(timeout=60)
    # A slow machine has time for a line of progress.
    assert waiting.returncode == 0 and out.splitlines()[-1] == "Pool 'filling' is mirrored.", out
    assert pool.now().state == "mirrored"
    assert pool.mismatches() == 0
    zlab.drop_caches()
    assert get(pool.md, 0, 40 * MIB) == data


@zlab.options(timeout=240)
def test_looks_while_a_ram_leg_goes(lab: Lab) -> None:
    """info and list answer at any moment of a detach, also while the zram device, which takes its
    time with much in it, is being reset."""
    pool = make_pool(lab, "going", "320M", "--no-libvirt")
    for at in range(0, 256 * MIB, 16 * MIB):
        write_pattern(pool.md, at, 16 * MIB)
    done: List[Done] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for words in (("info", "going", "--json"), ("list", "--json")):
                done.append(zraid(*words, check=False, quiet=True))
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    for _ in range(4):
        pool.attach_and_fill()
        zraid("detach", "going")
    over.set()
    thread.join(60)
    assert len(done) > 8 and all(each.rc == 0 for each in done), [each for each in done if each.rc != 0]
    pool.assert_at_rest()


def test_ram_limit_that_is_reached(lab: Lab) -> None:
    """Data that does not fit into the RAM limit: md drops the RAM leg, the pool works on from its
    disk leg, wait says that there is none, and nothing is left of the leg when it is detached."""
    pool = make_pool(lab, "tight", "64M", "--no-libvirt", "--ram-limit", "2M")
    data = os.urandom(16 * MIB)
    with open(pool.md, "r+b") as device:
        device.write(data)
        device.flush()
        os.fsync(device.fileno())
    zraid("attach", "tight")
    wait_for(lambda: pool.now().state != "filling", "md gave up on the RAM leg")
    assert pool.now().state == "disk-only"
    assert_one_line(zraid("wait", "tight", check=False), 1, "disk-only")
    put(pool.md, 20 * MIB, 0x12)
    zlab.drop_caches()
    assert get(pool.md, 0, 16 * MIB) == data
    assert get(pool.md, 20 * MIB) == b"\x12" * 8192
    zraid("detach", "tight")
    pool.assert_at_rest()
    assert zlab.zrams() == []


def test_volumes(lab: Lab) -> None:
    """vol-create, vol-list and vol-delete, also with a hole in the numbers; a volume keeps its data
    when its neighbour goes; libvirt sees the same volumes."""
    pool = make_pool(lab, "volumes", "128M")
    first, second = pool.add_volume("20M"), pool.add_volume("30M")
    put(second, 0, 0x77)
    md = zlab.name_of(pool.md)
    zraid("vol-delete", "volumes", f"{md}p1", "--yes")
    assert volumes("volumes") == {f"{md}p2": 30 * MIB}
    assert not Path(first).exists()
    assert_one_line(zraid("vol-delete", "volumes", f"{md}p1", "--yes", check=False), 1, f"no volume '{md}p1'")
    assert pool.add_volume("10M") == first
    assert get(second, 0) == b"\x77" * 8192
    listed = [line.split()[0] for line in virsh("vol-list", "volumes").out.splitlines() if line.strip()]
    assert sorted(listed) == [f"{md}p1", f"{md}p2"]
    # Sector 4096 and whole MiB between them: libvirt's sums must not have moved any of it.
    for part in (first, second):
        assert int(sysfs(part, "start")) * 512 % (4 * KIB) == 0
    assert_one_line(zraid("vol-create", "volumes", "1G", check=False), 1, "volume")
    assert sorted(volumes("volumes")) == [f"{md}p1", f"{md}p2"]


def test_refusals_under_a_running_domain(lab: Lab) -> None:
    """While a domain runs on it a pool is not stopped or undefined, its volume is not deleted, and
    each refusal names the domain or the volume. A claim whose domain is gone does not count."""
    pool = make_pool(lab, "busy", "64M")
    part = pool.add_volume("20M")
    domain = lab.use(Domain("runner", [{"dev": part}]))
    domain.start()
    pool.fill()
    before = system(DEFINITIONS)
    for words in (["stop", "busy"], ["undefine", "busy"], ["undefine", "busy", "--remove-image", "--yes"]):
        assert_one_line(zraid(*words, check=False), 1, "pool 'busy'", "'runner'")
        assert_same(before, system(DEFINITIONS))
    assert_one_line(zraid("vol-delete", "busy", zlab.name_of(part), "--yes", check=False), 1, "in use")
    assert_same(before, system(DEFINITIONS))
    assert pool.image.exists() and storage_pools() == {"busy": ["active", "yes"]}
    domain.write(MIB, 4096, 0x21)
    domain.check(MIB, 4096, 0x21)
    domain.destroy()

    # What is left of a domain that ended while nobody looked.
    gone = with_uuid(Domain("gone", [{"dev": part}]))
    prepare(gone)
    assert pool.now().users == ["gone"]
    assert_one_line(zraid("-c", NOWHERE, "stop", "busy", check=False), 1, "'gone'")
    zraid("stop", "busy")
    assert pool.now() == Now("inactive", [], "")


def test_device_in_use(lab: Lab) -> None:
    """A pool whose device somebody else has open is not torn down half: stop says so, and the pool
    is as before, also in libvirt."""
    pool = make_pool(lab, "open", "64M")
    with open(pool.md, "rb"):
        done = zraid("stop", "open", check=False)
        assert_one_line(done, 1, "pool 'open'", pool.md)
        assert pool.now() == Now("disk-only", [], "")
        assert storage_pools() == {"open": ["active", "yes"]}
    zraid("stop", "open")
    assert zlab.mds() == {} and zlab.loops() == {}


def test_define_that_fails_early(lab: Lab) -> None:
    """A storage pool of that name that is not ours, and a libvirt that is not there: define does
    nothing, and the other pool is as before."""
    virsh("pool-define-as", "taken", "dir", "--target", lab.dir)
    lab.defer(virsh, "pool-undefine", "taken")
    before = system(lab.dir)
    image = lab.dir / "new.img"
    words = ["define", "taken", "--image", image, "--size", "64M"]
    assert_one_line(zraid(*words, check=False), 1, "another storage pool 'taken'")
    assert_same(before, system(lab.dir))
    assert_one_line(zraid("-c", NOWHERE, "define", "p", *words[2:], check=False), 1, "libvirt", NOWHERE)
    assert_same(before, system(lab.dir))
    # Without libvirt there is no clash of names.
    lab.defer(drop_pool, "taken")
    zraid(*words, "--no-libvirt")
    zraid("undefine", "taken", "--remove-image", "--yes")
    assert_same(before, system(lab.dir))


def test_define_that_fails_late(lab: Lab) -> None:
    """What was made before libvirt refused the pool is undone: a new image is removed, an empty one
    of the administrator's stays and is empty again, an array that was there before stays with its
    data. Once libvirt's complaint is dealt with, the same command works."""
    templates = Path("/etc/zraid/xml-templates")
    template = templates / "pool-disk.xml"
    lab.defer(template.unlink, True)
    templates.mkdir(exist_ok=True)
    good = Path("/usr/share/zraid/pool-disk.xml").read_text()
    bad = good.replace("<device path='@DEVICE@'/>", "<device path='/dev/nonexistent'/>")
    assert bad != good

    image = lab.dir / "late.img"
    words = ["define", "late", "--image", image]
    lab.defer(drop_pool, "late")
    template.write_text(bad)
    before = system(lab.dir)
    assert_one_line(zraid(*words, "--size", "64M", check=False), 1, "storage pool 'late'")
    assert_same(before, system(lab.dir))
    assert storage_pools() == {}

    sparse(image, 64 * MIB)
    inode = image.stat().st_ino
    assert_one_line(zraid(*words, check=False), 1, "storage pool 'late'")
    assert image.stat().st_ino == inode and image.read_bytes() == bytes(64 * MIB)
    assert zlab.mds() == {} and zlab.loops() == {} and storage_pools() == {}
    assert list(DEFINITIONS.glob("*")) == []

    template.write_text(good)
    zraid(*words)
    pool = Pool("late", image)
    put(pool.md, 30 * MIB, 0x31)
    zraid("undefine", "late")
    template.write_text(bad)
    assert_one_line(zraid(*words, check=False), 1, "storage pool 'late'")
    assert zlab.mds() == {} and zlab.loops() == {} and list(DEFINITIONS.glob("*")) == []
    template.write_text(good)
    zraid(*words)
    assert get(pool.md, 30 * MIB) == b"\x31" * 8192
    # A template that everybody may write to is not used.
    zraid("undefine", "late")
    template.chmod(0o666)
    before = system(lab.dir)
    assert_one_line(zraid(*words, check=False), 1, str(template), "everybody")
    assert_same({**before, str(image): ""}, {**system(lab.dir), str(image): ""})
    template.chmod(0o644)
    zraid(*words)
    assert get(pool.md, 30 * MIB) == b"\x31" * 8192


def test_libvirt_not_reachable(lab: Lab) -> None:
    """libvirtd stopped: what needs it says so and leaves things consistent, what does not works;
    when it is back the same command completes what was begun."""
    pool = make_pool(lab, "alone", "64M")
    pool.add_volume("20M")
    zraid("stop", "alone")
    lab.defer(zlab.start_libvirtd)
    zlab.kill_libvirtd(15)
    assert_one_line(zraid("start", "alone", check=False), 1, f"'{pool.md}' is up", "libvirt")
    assert pool.now() == Now("disk-only", [], "")
    zraid("attach", "alone")
    pool.fill()
    zraid("detach", "alone")
    before = system(lab.dir)
    for words in (["stop", "alone"], ["undefine", "alone"], ["undefine", "alone", "--remove-image", "--yes"],
                  ["vol-list", "alone"], ["vol-create", "alone", "10M"], ["vol-delete", "alone", "md100p1", "--yes"],
                  ["define", "other", "--image", lab.dir / "other.img", "--size", "64M"]):
        assert_one_line(zraid(*words, check=False), 1, "libvirt")
        assert_same(before, system(lab.dir))
    zraid("list")
    zraid("budget")
    zlab.start_libvirtd()
    zraid("start", "alone")
    assert storage_pools() == {"alone": ["active", "yes"]}
    assert list(volumes("alone").values()) == [20 * MIB]
