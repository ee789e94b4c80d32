"""A server of NFS, and its client, on the lab itself.

Importable on the host as well, like zlab.
"""

from pathlib import Path

from zlab import Lab, sh


class NfsServer:
    """The kernel's NFS server, version 4.2, which exports a folder to this host."""

    def __init__(self, lab: Lab, folder: Path, mount: Path):
        folder.mkdir()
        mount.mkdir()
        sh(["modprobe", "nfsd"])
        sh(["mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd"])
        lab.defer(sh, ["umount", "/proc/fs/nfsd"])
        sh(["rpc.mountd", "-N", "2", "-N", "3"])
        lab.defer(sh, ["pkill", "-x", "rpc.mountd"])
        sh(["exportfs", "-o", "rw,no_root_squash,fsid=0,insecure,no_subtree_check", f"127.0.0.1:{folder}"])
        lab.defer(sh, ["exportfs", "-ua"])
        lab.defer(self.stop)
        self.start()
        sh(["mount", "-t", "nfs4", "-o", "vers=4.2,timeo=20", "127.0.0.1:/", mount])
        lab.defer(sh, ["umount", mount])

    def start(self) -> None:
        sh(["rpc.nfsd", "-N", "3", "-V", "4.2", "-U", "2"])

    def stop(self) -> None:
        sh(["rpc.nfsd", "0"])
