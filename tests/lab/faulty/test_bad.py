"""Tests that fail, each in its own way. Only tests/lab/selftest runs them: it wants
to see every one of them reported, and the good ones between them to pass."""

import os
import signal
import subprocess
import time
from pathlib import Path

import zlab
from zlab import MIB, Domain, Lab, sh


def attach_loop(lab: Lab) -> None:
    image = zlab.DISK / "left-behind"
    with open(image, "wb") as file:
        file.truncate(MIB)
    sh(["losetup", "--find", image])


def test_good_first(lab: Lab) -> None:
    pass


def test_asserts(lab: Lab) -> None:
    print("said before the failure")
    assert 1 + 1 == 3, "arithmetic"


def test_program_fails(lab: Lab) -> None:
    sh(["sh", "-c", "echo to-stdout; echo to-stderr >&2; exit 7"])


def test_leaves_loop(lab: Lab) -> None:
    attach_loop(lab)


def test_leaves_domain(lab: Lab) -> None:
    Domain("forgotten").define()


def test_clean_up_fails(lab: Lab) -> None:
    lab.defer(sh, ["false"])


@zlab.options(timeout=3)
def test_sleeps_too_long(lab: Lab) -> None:
    time.sleep(1000)


@zlab.options(timeout=3)
def test_program_sleeps_too_long(lab: Lab) -> None:
    lab.defer(print, "cleaned up after all")
    sh(["sleep", "1000"], timeout=2000)


@zlab.options(timeout=2)
def test_cannot_be_interrupted(lab: Lab) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(1000)


def test_good_between(lab: Lab) -> None:
    assert zlab.loops() == {}


def test_is_killed(lab: Lab) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_panics(lab: Lab) -> None:
    Path("/proc/sysrq-trigger").write_text("c")
    time.sleep(1000)


def test_resets(lab: Lab) -> None:
    subprocess.run(["busybox", "reboot", "-f"])
    time.sleep(1000)


@zlab.options(timeout=2)
def test_hangs_guest(lab: Lab) -> None:
    """The guest's runner stands still: only the host can notice."""
    os.kill(os.getppid(), signal.SIGSTOP)


def test_ends_before_cut(lab: Lab) -> None:
    lab.power_cut(after=1000, wait=False)


def test_fails_after_cut(lab: Lab) -> None:
    if lab.phase == 0:
        lab.power_cut(number=5)
    assert lab.state["number"] == 6


def test_good_last(lab: Lab) -> None:
    assert zlab.virsh("list", "--all", "--name").out.strip() == ""
