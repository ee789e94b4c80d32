"""`lab run`: boot, let the guest's runner work through the tests, collect reports."""

import fnmatch
import importlib.util
import inspect
import json
import shutil
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from . import assets as _assets
from .assets import Assets, LabError, make_disk, make_stage
from .machine import Machine, Place, Spec
from .programs import programs_disk

POWER_OFF_LIMIT = 120
SLOW_DISK_SIZE = 16 << 30


@dataclass
class Test:
    name: str                       # FILE.TEST, both without "test_"
    file: str
    function: str                   # empty: the file could not even be read
    options: Dict[str, object]
    problem: str = ""
    phase: int = 0
    seconds: float = 0.0

    @property
    def limit(self) -> float:
        return float(self.options.get("timeout", 180))


class Lab:
    """Everything that is common to the boots of one call of the harness."""

    def __init__(self, place: Place, spec: Spec, boot_limit: float, grace: float):
        self.place, self.spec, self.boot_limit = place, spec, boot_limit
        # Seconds that the guest gets beyond a test's own limit to end the test, to
        # clean up and to collect what it knows about a failure.
        self.grace = grace
        self.assets = Assets()
        self.stage = ""
        self.boots = 0

    def prepare(self) -> None:
        self.assets.prepare()
        with _assets.locked(self.assets.folder / "lock"):
            self.assets.programs = programs_disk(self.assets.folder)
        self.stage = make_stage(self.place.build)
        shutil.rmtree(self.place.share, ignore_errors=True)
        (self.place.share / "tests").mkdir(parents=True)
        if self.assets.libvirt_cache.exists():
            shutil.copytree(self.assets.libvirt_cache, self.place.share / "libvirt-cache")

    def new_disks(self, spec: Spec) -> None:
        make_disk(self.place.disk, spec.disk_size)
        for number, _ in enumerate(spec.slow_iops):
            make_disk(self.place.slow_disk(number), SLOW_DISK_SIZE)

    def next_machine(self, spec: Spec) -> Machine:
        self.boots += 1
        machine = Machine(self.assets, self.place, spec, self.boots)
        machine.stage = self.stage
        return machine

    @contextmanager
    def fresh_machine(self, spec: Spec) -> Iterator[Machine]:
        self.new_disks(spec)
        machine = self.next_machine(spec)
        try:
            yield machine
        finally:
            machine.kill()
            self.keep_libvirt_cache()
            self.remove_disks()

    def remove_disks(self) -> None:
        for disk in (self.place.disk, *self.place.build.glob("slow*.raw")):
            disk.unlink(missing_ok=True)

    def keep_libvirt_cache(self) -> None:
        """What libvirt learnt about QEMU, for the next call of the harness."""
        learnt = self.place.share / "libvirt-cache"
        if not self.assets.libvirt_cache.exists() and any(learnt.glob("*.xml")):
            with _assets.locked(self.assets.folder / "lock"):
                scratch = self.assets.folder / "libvirt-cache.new"
                shutil.rmtree(scratch, ignore_errors=True)
                shutil.copytree(learnt, scratch)
                if not self.assets.libvirt_cache.exists():
                    scratch.rename(self.assets.libvirt_cache)


# --- finding tests

def discover(cases: Path, names: List[str]) -> List[Test]:
    tests = [test for file in sorted(cases.resolve().glob("test_*.py")) for test in tests_of(file)]
    if names:
        unknown = [name for name in names if not any(matches(test, name) for test in tests)]
        if unknown:
            raise LabError(f"no test is called {', '.join(unknown)} (lab run --list shows them)")
        tests = [test for test in tests if any(matches(test, name) for name in names)]
    if not tests:
        raise LabError(f"no tests in {cases}")
    return tests


def tests_of(file: Path) -> List[Test]:
    stem = file.stem[len("test_"):]
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception:
        # Not to be missed in silence: a file that does not load is a failed test.
        return [Test(stem, str(file), "", {}, problem=traceback.format_exc())]
    functions = [(name, value) for name, value in vars(module).items()
                 if name.startswith("test_") and inspect.isfunction(value)]
    return [Test(f"{stem}.{name[len('test_'):]}", str(file), name, getattr(value, "lab_options", {}))
            for name, value in functions]


def matches(test: Test, name: str) -> bool:
    """NAME is FILE, FILE.TEST or a shell pattern, with or without the "test_"s."""
    plain = ".".join(part[len("test_"):] if part.startswith("test_") else part
                     for part in name.replace(".py", "").split("."))
    return plain == test.name.split(".")[0] or fnmatch.fnmatchcase(test.name, plain)


# --- running them

class Tally:
    """Prints results as they come and writes the reports."""

    def __init__(self, place: Place):
        self.place = place
        self.passed = self.failed = 0
        shutil.rmtree(place.reports, ignore_errors=True)
        place.reports.mkdir(parents=True)

    def add(self, test: Test, why: str, evidence: str = "", console: Optional[Path] = None) -> None:
        """Count `test` as passed if `why` is empty."""
        result = "FAIL" if why else "PASS"
        self.failed += bool(why)
        self.passed += not why
        said = self.place.share / "tests" / test.name / "output"
        parts = [said.read_text(errors="replace") if said.exists() else ""]
        if why:
            parts.append(f"\nFAIL: {why}\n{evidence}\n")
            if console and console.exists():
                shutil.copy(console, self.place.reports / f"{test.name}.console")
        report = self.place.reports / f"{test.name}.txt"
        report.write_text("".join(parts))
        (self.place.reports / f"{test.name}.json").write_text(json.dumps(
            {"name": test.name, "result": result.lower(), "seconds": round(test.seconds, 2),
             "why": why}, indent=2) + "\n")
        print(f"{result} {test.name} ({test.seconds:.1f} s)", flush=True)
        if why:
            print(indented(why))
            if evidence:
                print(indented(evidence))
            print(f"     report: {report}", flush=True)


def indented(text: str) -> str:
    return "\n".join(f"     {line}" for line in text.strip().splitlines())


def run(lab: Lab, tests: List[Test], options) -> int:
    tally = Tally(lab.place)
    for test in [test for test in tests if test.problem]:
        tally.add(test, "the file of the tests could not be loaded", test.problem)
    ready = [test for test in tests if not test.problem]
    try:
        if ready:
            lab.prepare()
            for spec, group in grouped(lab.spec, ready):
                if options.stop and tally.failed:
                    break
                Group(lab, spec, group, tally, options.stop).run()
            lab.keep_libvirt_cache()
            lab.remove_disks()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    # Whatever kept a test from being run, it has not passed.
    tally.failed = len(tests) - tally.passed
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 0 if tally.failed == 0 else 1


def grouped(default: Spec, tests: List[Test]):
    """Tests that can share a boot, in the order of the files."""
    groups: Dict[object, List[Test]] = {}
    for test in tests:
        hardware = {key: test.options[key] for key in ("memory", "cpus", "slow_iops") if key in test.options}
        if "slow_iops" in hardware:
            hardware["slow_iops"] = (hardware["slow_iops"],)
        spec = replace(default, **hardware)
        key = (spec, test.name) if test.options.get("fresh") else (spec, "")
        groups.setdefault(key, []).append(test)
    return [(spec, group) for (spec, _), group in groups.items()]


class Group:
    """Tests on the same hardware: as many as possible in one boot."""

    def __init__(self, lab: Lab, spec: Spec, tests: List[Test], tally: Tally, stop: bool):
        self.lab, self.spec, self.tally, self.stop = lab, spec, tally, stop
        self.queue = list(tests)
        self.current: Optional[Test] = None
        self.cut_at: Optional[float] = None
        self.fresh_disk = True
        self.failed_boots = 0

    def run(self) -> None:
        while self.queue and not (self.stop and self.tally.failed):
            if self.failed_boots == 2:
                # Not every test has to wait for another boot that fails.
                for test in self.queue:
                    self.tally.add(test, "not run: the lab does not boot")
                return
            if self.fresh_disk:
                self.lab.new_disks(self.spec)
                self.fresh_disk = False
            machine = self.lab.next_machine(self.spec)
            try:
                self._boot(machine)
            finally:
                machine.kill()

    def _boot(self, machine: Machine) -> None:
        self.current, self.cut_at = None, None
        machine.log.mkdir(parents=True)
        (machine.log / "plan.json").write_text(json.dumps([
            {"name": test.name, "file": test.file, "function": test.function,
             "timeout": test.limit, "phase": test.phase} for test in self.queue]))
        machine.start("run", variables={"LAB_STAGE": self.lab.stage})
        self.deadline = time.monotonic() + self.lab.boot_limit
        self.up = False
        pending = b""
        while True:
            data = machine.read(self._patience())
            now = time.monotonic()
            if self.cut_at is not None and now >= self.cut_at:
                self._power_cut(machine)
                return
            if data is None:
                self._lost(machine, "the guest died")
                return
            pending += data
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if not self._event(machine, line):
                    return
            if time.monotonic() > self.deadline:
                self._lost(machine, "the guest hangs")
                return

    def _patience(self) -> float:
        until = self.deadline if self.cut_at is None else min(self.cut_at, self.deadline)
        return min(1.0, max(0.0, until - time.monotonic()))

    def _event(self, machine: Machine, line: bytes) -> bool:
        """Act on one line of the guest's runner; False when this boot is over."""
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            print(f"lab: the guest said {line[:200]!r}", file=sys.stderr)
            return True
        if kind == "up":
            self.up, self.failed_boots = True, 0
            took = time.monotonic() - machine.started
            print(f"boot {machine.boot}: up after {took:.1f} s", flush=True)
            self.deadline = time.monotonic() + self.lab.grace
        elif kind == "begin":
            self.current = self.queue[0]
            self.begun = time.monotonic()
            self.deadline = self.begun + self.current.limit + self.lab.grace
        elif kind == "end":
            return self._ended(machine, event)
        elif kind == "cut":
            self.cut_at = time.monotonic() + event["after"]
        elif kind == "reboot":
            self._next_phase()
            if not machine.wait(POWER_OFF_LIMIT):
                self._lost(machine, "the guest does not power off")
            return False
        elif kind == "done":
            return False
        return True

    def _ended(self, machine: Machine, event: dict) -> bool:
        test = self._take()
        why = event["why"]
        if not why and self.cut_at is not None:
            why = "the test ended before the power cut it asked for"
        self.tally.add(test, why, event.get("evidence", ""), machine.console)
        self.cut_at = None
        if why:
            # Whatever made it fail may still be there.
            self.fresh_disk = True
            return False
        self.deadline = time.monotonic() + self.lab.grace
        return True

    def _take(self) -> Test:
        test = self.queue.pop(0)
        if self.current:
            test.seconds += time.monotonic() - self.begun
        self.current = None
        return test

    def _next_phase(self) -> None:
        test = self.queue[0]
        test.seconds += time.monotonic() - self.begun
        test.phase += 1
        self.current = None

    def _power_cut(self, machine: Machine) -> None:
        machine.kill()
        self._next_phase()

    def _lost(self, machine: Machine, why: str) -> None:
        """The guest died or hangs: one test pays for it, the others get a fresh boot."""
        if machine.running:
            machine.show_blocked_tasks()
        if not self.up:
            why += " while it booted"
            self.failed_boots += 1
        self.fresh_disk = True
        test = self._take()
        self.tally.add(test, why, machine.last_words(), machine.console)
