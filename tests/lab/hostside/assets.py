"""What a lab boots from: Debian's kernel, an initrd made of it, the product's stage.

Kernel and initrd are the same for every run, so all build directories share one
folder of them (Assets.folder).
"""

import fcntl
import gzip
import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Optional

CHECKOUT = Path(__file__).resolve().parents[3]
GUEST = CHECKOUT / "tests" / "lab" / "guest"
# Where the product was built.
PRODUCT = CHECKOUT / "build" / "dev"

# Enough for the fresh host (fresh_host.py), whose root is on a disk of its own.
FRESH_MODULES = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "9pnet_virtio", "9p"]
# Enough to reach the host's file system and the disk of programs; everything else is loaded from there.
INITRD_MODULES = [*FRESH_MODULES, "overlay"]


class LabError(Exception):
    """The lab itself cannot do its work; the text is for the developer."""


def run(argv: List[str], **more) -> str:
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed; run tests/prepare") from error
    if done.returncode != 0:
        raise LabError(f"'{' '.join(map(str, argv))}' failed ({done.returncode}): "
                       f"{(done.stderr or done.stdout).strip()}")
    return done.stdout


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for whoever else prepares the same thing right now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Assets:
    def __init__(self, folder: Path = CHECKOUT / "build" / "lab-assets"):
        self.folder = folder
        self.release = ""           # of the kernel, as uname -r prints it
        self.kernel = Path()
        self.modules = Path()       # becomes /lib/modules/RELEASE in the guest
        self.initrd = Path()
        self.programs = Path()      # see programs.py
        self.libvirt_cache = folder / "libvirt-cache"

    def prepare(self) -> None:
        with locked(self.folder / "lock"):
            self._find_kernel() or self._download_kernel()
            self._unpack_kernel()
            self.initrd = self._make_initrd("initrd-init", INITRD_MODULES)

    def prepare_fresh(self) -> None:
        """The same for a fresh host."""
        self.prepare()
        with locked(self.folder / "lock"):
            self.initrd = self._make_initrd("fresh-initrd-init", FRESH_MODULES)

    def _find_kernel(self) -> bool:
        """Use the kernel that is here already; a newer one is taken once it is removed."""
        kernels = sorted((self.folder / "kernel").glob("boot/vmlinuz-*"))
        if not kernels:
            return False
        self.kernel = kernels[-1]
        self.release = self.kernel.name[len("vmlinuz-"):]
        self.modules = self.folder / "kernel" / "lib" / "modules" / self.release
        return True

    def _download_kernel(self) -> None:
        scratch = self.folder / "kernel.new"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        package = kernel_package()
        print(f"lab: downloading {package} (once)", flush=True)
        try:
            run(["apt-get", "-q", "download", package], cwd=scratch)
        except LabError:
            # The package lists know a version that the archive has replaced.
            refresh_package_lists()
            package = kernel_package()
            run(["apt-get", "-q", "download", package], cwd=scratch)
        (archive,) = scratch.glob("*.deb")
        run(["dpkg", "-x", str(archive), str(scratch)])
        archive.unlink()
        # A usr-merged package has its modules below usr/.
        if not (scratch / "lib").exists():
            (scratch / "lib").symlink_to("usr/lib")
        (modules,) = (scratch / "lib" / "modules").iterdir()
        run([program("depmod"), "-b", str(scratch), modules.name])
        scratch.rename(self.folder / "kernel")
        if not self._find_kernel():
            raise LabError(f"{package} holds no kernel")

    def _unpack_kernel(self) -> None:
        """QEMU can start the kernel proper; having it unpack itself costs an emulator 3 s."""
        unpacked = self.folder / f"vmlinux-{self.release}"
        if not unpacked.exists():
            kernel = kernel_proper(self.kernel.read_bytes())
            if kernel is None:
                return
            scratch = self.folder / "vmlinux.new"
            scratch.write_bytes(kernel)
            scratch.rename(unpacked)
        self.kernel = unpacked

    def _make_initrd(self, init: str, modules: List[str]) -> Path:
        busybox = Path(program("busybox"))
        script = GUEST / init
        made_of = [self.release.encode(), busybox.read_bytes(), script.read_bytes(),
                   " ".join(modules).encode()]
        digest = hashlib.sha256(b"\0".join(made_of)).hexdigest()[:16]
        initrd = self.folder / f"initrd-{digest}"
        if initrd.exists():
            return initrd
        tree = self.folder / "initrd.tree"
        shutil.rmtree(tree, ignore_errors=True)
        for name in ("bin", "modules", "dev", "proc", "new"):
            (tree / name).mkdir(parents=True)
        shutil.copy(busybox, tree / "bin" / "busybox")
        shutil.copy(script, tree / "init")
        (tree / "init").chmod(0o755)
        order = [copy_module(self.modules / name, tree / "modules")
                 for name in with_dependencies(self.modules, modules)]
        (tree / "modules" / "order").write_text("".join(f"{name}\n" for name in order))
        names = "\n".join(str(path.relative_to(tree)) for path in [tree, *sorted(tree.rglob("*"))])
        archive = subprocess.run([program("cpio"), "-o", "-H", "newc", "--owner=0:0", "--quiet"],
                                 cwd=tree, input=names.encode(), stdout=subprocess.PIPE, check=True)
        shutil.rmtree(tree)
        for old in self.folder.glob("initrd-*"):
            # A lab that runs now may boot again from the one it began with.
            if old.stat().st_mtime < time.time() - 86400:
                old.unlink()
        scratch = self.folder / "initrd.new"
        scratch.write_bytes(archive.stdout)
        scratch.rename(initrd)
        return initrd


def program(name: str) -> str:
    """A developer's PATH need not have the sbin directories."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    if not found:
        raise LabError(f"{name} is not installed; run tests/prepare")
    return found


def refresh_package_lists() -> None:
    if os.geteuid() != 0:
        raise LabError("no usable package lists; as root, run: apt-get update")
    run(["apt-get", "-qq", "update"])


def kernel_package() -> str:
    """Name of the newest amd64 kernel package, which linux-image-amd64 depends on."""
    def ask() -> str:
        depends = subprocess.run(["apt-cache", "depends", "--important", "linux-image-amd64"],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        found = re.search(r"Depends: (linux-image-[0-9]\S*-amd64)\b", depends)
        return found.group(1) if found else ""

    name = ask()
    if not name:
        refresh_package_lists()
        name = ask()
    if not name:
        raise LabError("apt knows no linux-image-amd64: the lab needs Debian on amd64")
    return name


def kernel_proper(image: bytes) -> Optional[bytes]:
    """The ELF file packed inside a bzImage; None if it is not packed with xz.

    Offsets: Documentation/x86/boot.rst of the kernel.
    """
    setup_sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (setup_sectors + 1) * 512 + offset
    try:
        # Not lzma.decompress: the kernel's length follows the packed data.
        kernel = lzma.LZMADecompressor().decompress(image[begin:begin + length])
    except lzma.LZMAError:
        return None
    return kernel if kernel.startswith(b"\x7fELF") else None


def with_dependencies(modules: Path, wanted: List[str]) -> List[str]:
    """Paths of the wanted modules and all that they need, in the order of loading."""
    path_of, needs = {}, {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, dependencies = line.partition(":")
        path_of[re.sub(r"\.ko.*", "", Path(path).name).replace("-", "_")] = path
        needs[path] = dependencies.split()
    order: List[str] = []

    def add(path: str) -> None:
        for dependency in needs[path]:
            add(dependency)
        if path not in order:
            order.append(path)

    for name in wanted:
        # What is built into the kernel is not in the list.
        if name in path_of:
            add(path_of[name])
    return order


def copy_module(path: Path, target: Path) -> str:
    """Copy one module, unpacked as busybox may not know the format; return its name."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    elif path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix != ".ko":
        raise LabError(f"unknown compression of kernel module {path}")
    name = re.sub(r"\.ko.*", ".ko", path.name)
    (target / name).write_bytes(data)
    return name


def make_stage(build: Path) -> str:
    """Install the product, if it was built, below the lab's build directory."""
    if not (PRODUCT / "CMakeCache.txt").exists():
        return ""
    stage = build / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    run(["cmake", "--install", str(PRODUCT)], env={**os.environ, "DESTDIR": str(stage)})
    # Without debug information a boot copies them in a fraction of the time.
    # (--strip of cmake passes over what was installed under another name.)
    programs = [str(path) for path in stage.rglob("*") if is_elf(path)]
    if programs:
        run([program("strip"), "--strip-debug", *programs])
    return str(stage)


def make_package(build: Path) -> None:
    """The product's Debian package, zraid.deb beside the stage."""
    folder = build / "package"
    shutil.rmtree(folder, ignore_errors=True)
    run(["cpack", "--config", str(PRODUCT / "CPackConfig.cmake"), "-B", str(folder)])
    packages = list(folder.glob("*.deb"))
    if len(packages) != 1:
        raise LabError(f"cpack did not make one package: {packages}")
    packages[0].rename(build / "zraid.deb")


def is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def make_disk(path: Path, size: int) -> None:
    """A sparse raw file with an xfs on it."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as disk:
        disk.truncate(size)
    run([program("mkfs.xfs"), "-q", "-K", "-L", "lab", str(path)])
