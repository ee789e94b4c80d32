"""The programs that the guest starts most, on a disk of their own.

The guest's root is the host's file system, read over 9p, where opening one of the sixty libraries
of virsh takes several requests. From a disk, the same program starts in half the time. Whatever is
not on it still comes from the host: the list is only a matter of speed.
"""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterator, List, Set

from .assets import is_elf, program, run

# Names or patterns below /usr/bin and /usr/sbin.
PROGRAMS = """
    bash blkdiscard blkid blockdev cat chmod cmp cp cut date dash dd dmesg dmsetup e2fsck env exportfs
    fallocate filefrag fincore find findmnt fuser grep head ip kill kmod libvirtd ln logger losetup ls
    lsblk lsof lvm md5sum mdadm mkdir mke2fs mkfs.xfs mknod mktemp modprobe mount mv nbd-client
    nbd-server parted partprobe pgrep pkill ps python3 qemu-img qemu-nbd qemu-io qemu-system-x86_64
    readlink resize2fs rm rmdir sed setpriv setsid sfdisk sh sha256sum sleep sort stat strace swapoff
    swapon sync systemd-detect-virt tail tar tee timeout touch tr true truncate udevadm umount uname
    virsh virtlockd virtlogd wc wipefs xargs xfs_admin xfs_growfs xfs_info xfs_io xfs_repair
""".split()
FOLDERS = ["/usr/lib/udev", "/usr/lib/x86_64-linux-gnu/libvirt", "/usr/lib/locale/C.utf8", "/usr/share/libvirt",
           "/usr/share/qemu", "/usr/share/seabios"]
LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "ensurepip", "dist-packages", "pydoc_data"}


def programs_disk(folder: Path) -> Path:
    """An ext4 with them, made anew when packages were installed or removed."""
    installed = Path("/var/lib/dpkg/status").stat().st_mtime_ns
    key = hashlib.sha256(f"{installed} {PROGRAMS} {FOLDERS}".encode()).hexdigest()[:16]
    disk = folder / f"programs-{key}"
    if disk.exists():
        return disk
    tree = folder / "programs.tree"
    shutil.rmtree(tree, ignore_errors=True)
    copied = sum(copy(path, tree) for path in wanted())
    scratch = folder / "programs.new"
    scratch.unlink(missing_ok=True)
    # Room for what the file system itself takes.
    run([program("mke2fs"), "-q", "-t", "ext4", "-O", "^has_journal,^metadata_csum", "-L", "programs",
         "-d", str(tree), str(scratch), f"{copied * 5 // 4 // 1024 + 16384}k"])
    shutil.rmtree(tree)
    for old in folder.glob("programs-*"):
        # Where a lab runs from it, QEMU has it open.
        old.unlink()
    # What libvirt learnt about QEMU goes by the time of QEMU's file.
    shutil.rmtree(folder / "libvirt-cache", ignore_errors=True)
    scratch.rename(disk)
    return disk


def wanted() -> Set[Path]:
    """Every file, each without a symbolic link among its folders."""
    programs = [Path(path) for name in PROGRAMS for path in [shutil.which(name, path="/usr/bin:/usr/sbin")] if path]
    # The guest's Python, which need not be the one that runs this.
    library = Path("/usr/lib") / Path("/usr/bin/python3").resolve().name
    others = [path for folder in [*FOLDERS, library] for path in files_below(Path(folder))]
    loaded = [path for path in [*programs, *others] if is_elf(path.resolve())]
    return {place for path in [*programs, *others, *libraries_of(loaded)] for place in steps_to(path)}


def files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and not path.is_symlink():
            if path.name not in LEFT_OUT:
                yield from files_below(path)
        elif path.exists():
            yield path


def libraries_of(files: List[Path]) -> List[Path]:
    # Some, such as modules of a program, cannot be resolved by themselves; that does not matter.
    said = subprocess.run(["ldd", *map(str, files)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [Path(name) for name in sorted(set(re.findall(r"^\t(?:\S+ => )?(/\S+) \(", said.stdout, re.M)))]


def steps_to(path: Path) -> Iterator[Path]:
    """The file that a path leads to, and the symbolic links on the way."""
    while True:
        path = path.parent.resolve() / path.name
        yield path
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()


def copy(path: Path, tree: Path) -> int:
    """Copy it; return the bytes that it takes."""
    target = tree / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target, follow_symlinks=False)
    return 4096 if path.is_symlink() else path.stat().st_size + 4096
