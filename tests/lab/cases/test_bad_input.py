"""Bad input: one clear line, the right exit code (1 failed, 2 usage), and nothing changed."""

import json
import os
import re
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import zlab
from toolbox.pools import (CLAIMS, DEFINITIONS, HOOK, assert_one_line, assert_same, assert_silent, get, hook,
                   make_pool, prepare, put, release, sparse, system, with_uuid)
from zlab import MIB, Domain, Lab, sh, zraid

# Words of the command line, exit code, words that the message must have.
Case = Tuple[Sequence[object], int, Sequence[str]]


def assert_refused(cases: Sequence[Case], *images: Path) -> None:
    """Each command fails as it should and changes nothing. All that are wrong are told at once."""
    before = system(*images)
    wrong: List[str] = []
    for words, rc, needed in cases:
        try:
            assert_one_line(zraid(*words, check=False), rc, "zraid-pool: ", *needed)
        except AssertionError as error:
            wrong.append(f"zraid-pool {' '.join(map(str, words))}: {error}")
        try:
            assert_same(before, system(*images))
        except AssertionError as error:
            wrong.append(f"zraid-pool {' '.join(map(str, words))}: {error}")
            before = system(*images)
    assert not wrong, "\n".join(wrong)


def test_names(lab: Lab) -> None:
    """Names of pools: 1 to 64 characters of A-Za-z0-9._-, the first one a letter or digit. Good ones
    at the edge work; the others are refused by every kind of command."""
    image = lab.dir / "x.img"
    bad = ["", ".hidden", "_x", "../etc", "a/b", "a b", "a\nb", "\u00e4", "x\u00e4", "a" * 65, "a%b", "a'b"]
    cases: List[Case] = [
        (["define", name, "--image", image, "--size", "64M"], 2, ["name"]) for name in bad]
    cases += [([command, "../etc"], 2, ["name"])
              for command in ("info", "dumpxml", "undefine", "start", "attach", "vol-list")]
    cases += [(["define", "-x", "--image", image, "--size", "64M"], 2, []),
              (["vol-create", "a/b", "10M"], 2, ["name"]), (["vol-delete", "a/b", "md100p1", "--yes"], 2, ["name"])]
    cases += [([command, "nobody"], 1, ["no pool 'nobody'"]) for command in (
        "info", "dumpxml", "undefine", "start", "stop", "attach", "detach", "wait", "vol-list")]
    cases += [(["vol-create", "nobody", "10M"], 1, ["no pool 'nobody'"]),
              (["vol-delete", "nobody", "md100p1", "--yes"], 1, ["no pool 'nobody'"])]
    assert_refused(cases, lab.dir)
    for good in ("a", "0", "A1._-z", "a" * 64):
        make_pool(lab, good, "16M", "--no-libvirt")
        zraid("undefine", good, "--remove-image", "--yes")


def test_command_line(lab: Lab) -> None:
    """Commands and options that are not there, incomplete, or no numbers. --help and --version
    work, also for one who is not root; nothing else does."""
    image = lab.dir / "x.img"
    define = ["define", "p", "--image", image, "--size", "64M"]
    assert_refused([
        ([], 2, ["subcommand"]),
        (["nonsense"], 2, ["nonsense"]),
        (["define"], 2, []),
        (["define", "p"], 2, ["--image"]),
        (["define", "p", "--size", "64M"], 2, ["--image"]),
        (["define", "p", "--image"], 2, ["--image"]),
        (["define", "p", "q", "--image", image, "--size", "64M"], 2, ["q"]),
        (["info"], 2, ["POOL"]),
        (["info", "p", "--xml"], 2, ["--xml"]),
        (["vol-create", "p"], 2, ["SIZE"]),
        (["wait", "p", "--timeout", "-1"], 2, ["--timeout"]),
        (["wait", "p", "--timeout", "soon"], 2, ["soon"]),
        (["define", "p", "--image", image], 2, ["no image", "--size"]),
        ([*define, "--md", "512"], 2, ["512"]),
        ([*define, "--md", "-1"], 2, ["-1"]),
        ([*define, "--md", "x"], 2, ["x"]),
        ([*define, "--type", "stripe"], 2, ["'stripe'", "disk", "logical", "fs", "whole"]),
        ([*define, "--attach", "sometimes"], 2, ["'sometimes'", "on-demand", "always"]),
    ], lab.dir)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    before = system(lab.dir)
    for words in (define, ["list"], ["info", "p"], ["undefine", "p"], ["budget"]):
        assert_one_line(sh([*nobody, "zraid-pool", *words], check=False), 1, "root")
    assert_same(before, system(lab.dir))
    for word, text in (("--help", "vol-create"), ("--version", ".")):
        done = sh([*nobody, "zraid-pool", word])
        assert text in done.out and done.err == ""


def test_sizes(lab: Lab) -> None:
    """Sizes that are none, and those that are too small or too large: 16 MiB to 16 TiB."""
    image = lab.dir / "x.img"
    define = ["define", "p", "--image", image, "--size"]
    none = ["", "abc", "M", "10X", "1.5G", "-1", "-64M", "0x10M", "64M ", "64 M M", "10G5M",
            "99999999999999999999", "99999999999G", "18446744073709551616"]
    cases: List[Case] = [([*define, size], 2, [] if size.startswith("-") else ["no size"]) for size in none]
    cases += [([*define, size], 2, ["too small", "16M"]) for size in ("0", "15M", "16777215")]
    cases += [([*define, size], 2, ["too large", "16T"]) for size in ("17T", "17592186044417", "1E")]
    define.append("64M")
    cases += [([*define, "--ram-limit", "lots"], 2, ["'lots'", "no size"]),
              ([*define, "--ram-limit", "0"], 2, ["too small"]),
              ([*define, "--ram-limit", "1000K"], 2, ["too small"]),
              ([*define, "--bitmap-chunk", "3M"], 2, ["power of two"]),
              ([*define, "--bitmap-chunk", "32K"], 2, ["64K"]),
              ([*define, "--bitmap-chunk", "2G"], 2, ["1G"]),
              (["define", "p", "--image", image, "--size", "16T", "--bitmap-chunk", "64K"], 2,
               ["bitmap", "larger"])]
    assert_refused(cases, lab.dir)


def test_sizes_of_volumes(lab: Lab) -> None:
    """The same for volumes; and a pool that is full, stopped, or not libvirt's."""
    pool = make_pool(lab, "vols", "64M")
    make_pool(lab, "own", "16M", "--no-libvirt")
    md = zlab.name_of(pool.md)
    assert_refused([
        (["vol-create", "vols", "abc"], 2, ["no size"]),
        (["vol-create", "vols", ""], 2, ["no size"]),
        (["vol-create", "vols", "0"], 2, []),
        (["vol-create", "vols", "17T"], 1, []),
        (["vol-create", "vols", "65M"], 1, []),
        (["vol-delete", "vols", f"{md}p1", "--yes"], 1, [f"no volume '{md}p1'"]),
        (["vol-delete", "vols", f"{md}", "--yes"], 1, ["no volume"]),
        (["vol-delete", "vols", f"{md}p0", "--yes"], 1, ["no volume"]),
        (["vol-delete", "vols", f"{md}p1x", "--yes"], 1, ["no volume"]),
        (["vol-delete", "vols", "md101p1", "--yes"], 1, ["no volume"]),
        (["vol-delete", "vols", "../sda1", "--yes"], 1, ["no volume"]),
        (["disk-xml", "vols", "sda1"], 1, ["no volume"]),
        (["vol-create", "own", "10M"], 1, ["not registered"]),
        (["vol-list", "own"], 1, ["not registered"]),
    ], DEFINITIONS)
    zraid("stop", "vols")
    assert_refused([
        (["vol-create", "vols", "10M"], 1, ["zraid-pool start vols"]),
        (["vol-list", "vols"], 1, ["zraid-pool start vols"]),
        (["vol-delete", "vols", f"{md}p1", "--yes"], 1, ["zraid-pool start vols"]),
        (["attach", "vols"], 1, ["zraid-pool start vols"]),
        (["wait", "vols"], 1, ["inactive"]),
    ], lab.dir)


def test_images(lab: Lab) -> None:
    """Paths that can be no image, images that are somebody's, and file systems that cannot hold
    them. No byte of anything is changed."""
    owner = make_pool(lab, "owner", "16M", "--no-libvirt")
    put(owner.md, 8 * MIB, 0x0A)
    stopped = make_pool(lab, "stopped", "16M", "--no-libvirt")
    former = make_pool(lab, "former", "16M", "--no-libvirt")
    zraid("stop", "stopped")
    zraid("undefine", "former")
    folder = lab.dir / "folder"
    folder.mkdir()
    owned = lab.dir / "owner.img"
    (lab.dir / "link").symlink_to(owned)
    os.link(owned, lab.dir / "hard")
    (lab.dir / "stopped-link").symlink_to(stopped.image)
    (lab.dir / "dangling").symlink_to("/nonexistent/file")
    (lab.dir / "loop-link").symlink_to("loop-link")
    os.mkfifo(lab.dir / "fifo")
    (lab.dir / "text").write_text("somebody's letters\n" * 1_000_000)
    odd = sparse(lab.dir / "odd", 20 * MIB + 512)
    small = sparse(lab.dir / "small", 8 * MIB)
    late = sparse(lab.dir / "late", 32 * MIB)
    with open(late, "r+b") as file:         # one byte, at its end
        file.seek(32 * MIB - 1)
        file.write(b"x")
    attached = sparse(lab.dir / "attached", 20 * MIB)
    put(attached, 0, 0x0B)
    device = sh(["losetup", "--find", "--show", attached]).out.strip()
    lab.defer(sh, ["losetup", "--detach", device])

    # A file system with little room, files up to 16 GiB (ext2, blocks of 1 KiB), first writable,
    # then not; its own image is one that is mounted.
    mounted = sparse(lab.dir / "mounted", 24 * MIB)
    sh(["mkfs.ext2", "-q", "-b", "1024", mounted])
    mount = lab.dir / "mount"
    mount.mkdir()
    lab.defer(sh, ["umount", mount])
    sh(["mount", "-o", "loop", mounted, mount])
    sparse(mount / "before", 16 * MIB)
    full = ["define", "p", "--image", mount / "new", "--size"]

    def define(image: object, *options: str) -> List[object]:
        return ["define", "p", "--no-libvirt", "--image", image, *options]
    assert_refused([
        (define("x.img", "--size", "64M"), 2, ["'x.img'", "relative"]),
        (define("./x.img", "--size", "64M"), 2, ["relative"]),
        (define("", "--size", "64M"), 2, ["relative"]),
        (define(f"{lab.dir}/a\nb", "--size", "64M"), 2, ["control"]),
        (define(folder, "--size", "64M"), 1, [str(folder), "directory"]),
        (define("/dev/null", "--size", "64M"), 1, ["/dev/null", "regular file"]),
        (define("/dev/vda", "--size", "64M"), 1, ["/dev/vda", "kernel's name", "/dev/disk/by-"]),
        (define(lab.dir / "fifo", "--size", "64M"), 1, ["fifo", "regular file"]),
        (define(lab.dir / "no" / "x.img", "--size", "64M"), 1, ["No such file"]),
        (define(lab.dir / "text" / "x.img", "--size", "64M"), 1, ["Not a directory"]),
        (define(lab.dir / "dangling", "--size", "64M"), 1, ["dangling"]),
        (define(lab.dir / "loop-link", "--size", "64M"), 1, ["loop-link"]),
        (define(f"{lab.dir}/{'n' * 300}", "--size", "64M"), 1, ["name too long"]),
        (define("/proc/new", "--size", "64M"), 1, ["/proc/new"]),
        (define("/proc/version"), 2, ["too small"]),
        (define(lab.dir / "text"), 1, ["holds something"]),
        (define(late), 1, ["holds something"]),
        (define(odd), 1, ["multiple of 4096", str(20 * MIB + 512)]),
        (define(small), 2, ["too small"]),
        (define(attached, "--size", "21M"), 1, [device]),
        (define(attached), 1, ["attached to", device]),
        (define(mounted), 1, ["attached to", "/dev/loop", "mounted"]),
        (define(owned), 1, ["belongs to pool 'owner'"]),
        (define(lab.dir / "link"), 1, ["belongs to pool 'owner'"]),
        (define(lab.dir / "hard"), 1, ["belongs to pool 'owner'"]),
        (define(stopped.image), 1, ["belongs to pool 'stopped'"]),
        (define(lab.dir / "stopped-link"), 1, ["belongs to pool 'stopped'"]),
        (define(former.image), 1, ["holds the array 'zraid:former'"]),
        ([*full, "20G"], 1, ["20 GiB", "cannot hold"]),
        ([*full, "30M", "--preallocate"], 1, ["30 MiB", "full"]),
    ], lab.dir)
    sh(["mount", "-o", "remount,ro", mount])
    assert_refused([([*full, "20M"], 1, ["Read-only file system"]),
                    (["define", "p", "--image", mount / "before"], 1, ["Read-only file system"])], lab.dir)
    former.image.unlink()
    # The images that the kernel has in hand are compared by what is in them.
    assert get(owner.md, 8 * MIB) == b"\x0a" * 8192
    assert attached.read_bytes() == b"\x0b" * 8192 + bytes(20 * MIB - 8192)
    assert (mount / "before").read_bytes() == bytes(16 * MIB)


def test_numbers_and_compressors(lab: Lab) -> None:
    """md numbers in use by a pool (active or not) or by anybody, and a compressor that the kernel
    does not offer: the ones it does offer are named."""
    used = make_pool(lab, "used", "16M", "--no-libvirt", "--md", "150")
    asleep = make_pool(lab, "asleep", "16M", "--no-libvirt", "--md", "151")
    zraid("stop", "asleep")
    foreign = sparse(lab.dir / "foreign", 20 * MIB)
    loop = sh(["losetup", "--find", "--show", foreign]).out.strip()
    lab.defer(sh, ["losetup", "--detach", loop])
    lab.defer(sh, ["mdadm", "--stop", "/dev/md152"])
    sh(["mdadm", "--create", "/dev/md152", "--run", "--level=1", "--raid-devices=2", "--metadata=1.2",
        loop, "missing"])
    assert (used.md, asleep.md) == ("/dev/md150", "/dev/md151")
    define = ["define", "p", "--image", lab.dir / "x.img", "--size", "64M", "--no-libvirt"]
    zraid("attach", "used")
    offered = re.sub(r"[\[\]]", "", zlab.sysfs(used.info()["ram"]["device"], "comp_algorithm")).split()
    assert "lz4" in offered or "zstd" in offered
    assert_refused([([*define, "--md", str(number)], 1, [f"/dev/md{number}", "in use"])
                    for number in (150, 151, 152)]
                   + [([*define, "--compressor", word], 2, [f"'{word}'", *offered])
                      for word in ("zip", "lz44", "LZ4", "[lzo]", "l z")], lab.dir)
    # The same with no zram in the system to ask: none is left behind either.
    zraid("detach", "used")
    sh(["modprobe", "-r", "zram"], check=False)
    assert zlab.zrams() == []
    assert_refused([([*define, "--compressor", "zip"], 2, ["'zip'", *offered])], lab.dir)


def test_definitions(lab: Lab) -> None:
    """Definitions that are broken, say something impossible, or may be written by everybody: named
    with line and column where there is one; other pools work on; a domain on such a pool is told."""
    good = make_pool(lab, "good", "16M", "--no-libvirt")
    other = make_pool(lab, "other", "16M", "--no-libvirt")
    file = DEFINITIONS / "other.xml"
    text = file.read_text()
    lab.defer(lambda: (file.write_text(text), file.chmod(0o600)))

    def changed(pattern: str, by: str) -> str:
        result, count = re.subn(pattern, by, text)
        assert count == 1, pattern
        return result
    line = 1 + next(n for n, words in enumerate(text.splitlines()) if "<size" in words)
    cases: Dict[str, Tuple[str, Sequence[str]]] = {
        "empty": ("", ["other.xml:"]),
        "truncated": (text[:len(text) // 2], ["other.xml:"]),
        "no XML": ("hello\n", ["other.xml:1:"]),
        "another document": ("<pool/>\n", ["other.xml:1:"]),
        "size": (changed("<size[^/]*</size>", "<size>lots</size>"), [f"other.xml:{line}:"]),
        "too small": (changed("<size[^/]*</size>", "<size>4096</size>"), ["other.xml", "16 MiB"]),
        "chunk": (changed("<bitmapchunk[^/]*</bitmapchunk>", "<bitmapchunk>3</bitmapchunk>"), ["other.xml"]),
        "number": (changed('number="[0-9]*"', 'number="9999"'), ["other.xml:"]),
        "unknown element": (changed("</zraidpool>", "<cache/></zraidpool>"), ["other.xml:"]),
        "name": (changed("<name>other", "<name>another"), ["other.xml", "'another'"]),
        "uuid": (changed("<uuid>[^<]*", "<uuid>12"), ["other.xml:"]),
        "relative": (changed('path="[^"]*"', 'path="x.img"'), ["other.xml:"]),
        "doctype": ("<!DOCTYPE zraidpool>\n" + text, ["other.xml", "document type"]),
        "entity": ('<!DOCTYPE zraidpool [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n'
                   + changed("<name>other", "<description>&x;</description><name>other"), ["other.xml"]),
        "laughs": ('<!DOCTYPE zraidpool [<!ENTITY a "aaaaaaaaaa">' + "".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>\n"
            + changed("<name>other", "<description>&j;</description><name>other"), ["other.xml"]),
    }
    domain = with_uuid(Domain("on-other", [{"dev": other.md}]))
    wrong = []
    for what, (content, needed) in cases.items():
        file.write_text(content)
        try:
            assert_refused([([command, "other"], 1, needed) for command in ("info", "attach")], lab.dir)
        except AssertionError as error:
            wrong.append(f"{what}: {error}")
    assert not wrong, "\n".join(wrong)

    # It is still broken. The others go on, and list shows both.
    done = zraid("list", check=False)
    assert done.rc == 1 and done.err.count("\n") == 1 and "other.xml" in done.err
    assert re.search(r"(?m)^good +disk-only ", done.out) and re.search(r"(?m)^other +broken ", done.out)
    done = zraid("list", "--json", check=False)
    listed = json.loads(done.out)
    assert [pool["name"] for pool in listed] == ["good", "other"]
    assert "other.xml" in listed[1]["problem"] and listed[1]["state"] is None
    zraid("attach", "good")
    good.fill()
    zraid("detach", "good")

    # Everybody may write to it.
    file.write_text(text)
    zraid("info", "other")
    for path, mode in ((file, 0o666), (DEFINITIONS, 0o777)):
        before = path.stat().st_mode & 0o777
        path.chmod(mode)
        lab.defer(path.chmod, before)
        assert_refused([([command, "other"], 1, [str(path), "everybody"])
                        for command in ("info", "start", "attach", "undefine")], lab.dir)
        assert prepare(domain).rc in (0, 1)
        assert zlab.zrams() == [] and not CLAIMS.joinpath("other").exists()
        path.chmod(before)
    zraid("info", "other")


def test_hook(lab: Lab) -> None:
    """Too few arguments, operations that do not exist, XML that is empty, cut off, huge, or has
    entities: prepare says what is wrong, changes nothing, and never writes to stdout."""
    pool = make_pool(lab, "hooked", "16M", "--no-libvirt")
    domain = with_uuid(Domain("bad", [{"dev": pool.md}]))
    xml = domain.xml()
    before = system(lab.dir)
    for words in ([], ["bad"], ["bad", "prepare"]):
        assert_one_line(sh([HOOK, *words], input=xml, check=False), 2, "arguments")
    for words in (["prepare", "begins"], ["nonsense", "begin"], ["", ""], ["prepare", ""]):
        assert_silent(hook("bad", *words, xml))
    doctype = '<!DOCTYPE domain [<!ENTITY dev "/dev/md100">]>\n'
    laughs = "<!DOCTYPE domain [" + '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>\n"
    for text, needed in (("", ["empty"]), (" \n", ["empty"]), (xml[:len(xml) // 2], ["broken"]),
                         ("no XML", []), ("<network/>", ["<domain>"]), ("\0" * 100, []),
                         (xml.replace(domain.uuid, "1234"), ["<uuid>"]),
                         (xml.replace("</name>", "</name><!--" + "x" * 10_000_000 + "-->"), ["8388608"]),
                         (doctype + xml.replace(pool.md, "&dev;"), ["document type"]),
                         (laughs + xml.replace("<name>bad", "<name>&j;"), ["document type"])):
        assert_one_line(hook("bad", "prepare", "begin", text), 1, "zraid: ", *needed)
        assert_same(before, system(lab.dir))
    # stdin that nobody writes to must not make it wait: libvirt closes its end, /dev/null is at once over.
    assert_one_line(sh([HOOK, "bad", "prepare", "begin", "-"], check=False), 1, "empty")
    # Deep nesting is XML.
    deep = xml.replace("</devices>", "</devices><metadata>" + "<a>" * 5000 + "</a>" * 5000 + "</metadata>")
    assert_silent(hook("bad", "prepare", "begin", deep))
    assert_silent(release(domain))
    assert_same(before, system(lab.dir))
