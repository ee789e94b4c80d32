"""Where things are in the guest, and units."""

from pathlib import Path

SHARE = Path("/run/lab/share")      # the folder that guest and host both see
LOG = Path("/run/lab/log")          # this boot's: syslog, libvirtd.log, console
DISK = Path("/srv/lab")             # xfs on the lab's disk; survives reboots
CHECKOUT = Path(__file__).resolve().parents[3]
KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
