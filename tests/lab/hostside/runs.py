"""`lab run`: boot virtual machines side by side, let the runner in each ask for test after test,
collect reports."""

import fnmatch
import importlib.util
import inspect
import itertools
import json
import shutil
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from . import assets as _assets
from .assets import Assets, LabError, make_disk, make_package, make_stage
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
        self._boots = itertools.count(1)

    def prepare_assets(self) -> None:
        """What every lab boots from."""
        self.assets.prepare()
        with _assets.locked(self.assets.folder / "lock"):
            self.assets.programs = programs_disk(self.assets.folder)

    def prepare(self) -> None:
        self.prepare_assets()
        self.stage = make_stage(self.place.build)
        shutil.rmtree(self.place.share, ignore_errors=True)
        (self.place.share / "tests").mkdir(parents=True)
        if self.assets.libvirt_cache.exists():
            shutil.copytree(self.assets.libvirt_cache, self.place.share / "libvirt-cache")

    def next_machine(self, place: Place, spec: Spec) -> Machine:
        machine = Machine(self.assets, place, spec, next(self._boots))
        machine.stage = self.stage
        return machine

    @contextmanager
    def fresh_machine(self, spec: Spec) -> Iterator[Machine]:
        new_disks(self.place, spec)
        machine = self.next_machine(self.place, spec)
        try:
            yield machine
        finally:
            machine.kill()
            self.keep_libvirt_cache()
            remove_disks(self.place)

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


def new_disks(place: Place, spec: Spec) -> None:
    make_disk(place.disk, spec.disk_size)
    for number, _ in enumerate(spec.slow_iops):
        make_disk(place.slow_disk(number), SLOW_DISK_SIZE)


def remove_disks(place: Place) -> None:
    for disk in (place.disk, *place.build.glob(f"slow{place.number}-*.raw")):
        disk.unlink(missing_ok=True)


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
        self._times: Dict[str, float] = {}
        self._lock = threading.Lock()
        shutil.rmtree(place.reports, ignore_errors=True)
        place.reports.mkdir(parents=True)

    def add(self, test: Test, why: str, evidence: str = "", console: Optional[Path] = None) -> None:
        """Count `test` as passed if `why` is empty."""
        with self._lock:
            self._add(test, why, evidence, console)

    def _add(self, test: Test, why: str, evidence: str, console: Optional[Path]) -> None:
        result = "FAIL" if why else "PASS"
        self.failed += bool(why)
        self.passed += not why
        self._times[test.name] = test.seconds
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

    def show_times(self, most: int = 10) -> None:
        """Leaves every test's time in reports/times, the slowest first, and prints the first of them."""
        lines = [f"{seconds:7.1f} s  {name}"
                 for name, seconds in sorted(self._times.items(), key=lambda item: -item[1])]
        (self.place.reports / "times").write_text("".join(f"{line}\n" for line in lines))
        if len(lines) > most:
            print(f"the slowest of {len(lines)} tests, all in {self.place.reports / 'times'}:")
            print("\n".join(lines[:most]), flush=True)


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
            if lab.stage:
                make_package(lab.place.build)
            machines = min(options.jobs, len(ready))
            schedule = Schedule(lab.spec, ready, longest_first=machines > 1)
            work_side_by_side([Worker(lab, replace(lab.place, number=number), schedule, tally, options.stop)
                               for number in range(machines)])
            lab.keep_libvirt_cache()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    # Whatever kept a test from being run, it has not passed.
    tally.failed = len(tests) - tally.passed
    tally.show_times()
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 0 if tally.failed == 0 else 1


@dataclass
class Group:
    """Tests that can share a boot."""
    spec: Spec
    alone: bool                     # on hardware that the others do not have: one machine is enough
    waiting: List[Test] = field(default_factory=list)
    taken: bool = False


class Schedule:
    """Which test comes next. Machines that run side by side ask it."""

    def __init__(self, default: Spec, tests: List[Test], longest_first: bool):
        self._lock = threading.Lock()
        groups: Dict[object, Group] = {}
        for test in tests:
            hardware = {key: test.options[key] for key in ("memory", "cpus", "slow_iops") if key in test.options}
            if "slow_iops" in hardware:
                hardware["slow_iops"] = (hardware["slow_iops"],)
            spec = replace(default, **hardware)
            key = (spec, test.name) if test.options.get("fresh") else (spec, "")
            group = groups.setdefault(key, Group(spec, key != (default, "")))
            group.waiting.append(test)
        self._groups = list(groups.values())
        if longest_first:
            # What may take longest, so that no machine is left alone with it at the end.
            self._groups.sort(key=lambda group: not group.alone)
            for group in self._groups:
                group.waiting.sort(key=lambda test: -test.limit)

    def next_group(self) -> Optional[Group]:
        with self._lock:
            for group in self._groups:
                if group.waiting and not (group.alone and group.taken):
                    group.taken = True
                    return group
            return None

    def take(self, group: Group) -> Optional[Test]:
        with self._lock:
            return group.waiting.pop(0) if group.waiting else None


def work_side_by_side(workers: List["Worker"]) -> None:
    """The first error of any of them is raised when all have ended."""
    errors: List[BaseException] = []

    def work(worker: "Worker") -> None:
        try:
            worker.run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:
        # QEMU ends with the thread that started it (die_with_parent), that with the process.
        for worker in workers:
            worker.give_up()
        raise
    if errors:
        raise errors[0]


class Worker:
    """One machine after the other: as many tests as possible in each boot."""

    def __init__(self, lab: Lab, place: Place, schedule: Schedule, tally: Tally, stop: bool):
        self.lab, self.place, self.schedule, self.tally, self.stop = lab, place, schedule, tally, stop
        self.current: Optional[Test] = None     # also between the boots of one test
        self.running = False                    # has the guest begun it?
        self.cut_at: Optional[float] = None
        self.machine: Optional[Machine] = None

    def run(self) -> None:
        try:
            while not self._stopped():
                group = self.schedule.next_group()
                if group is None:
                    return
                self._work(group)
        finally:
            remove_disks(self.place)

    def give_up(self) -> None:
        if self.machine:
            self.machine.kill()

    def _stopped(self) -> bool:
        return self.stop and self.tally.failed > 0

    def _work(self, group: Group) -> None:
        self.group, self.fresh_disk, self.failed_boots = group, True, 0
        while (self.current or group.waiting) and not self._stopped():
            if self.failed_boots == 2:
                # Not every test has to wait for another boot that fails.
                while self.current or self._next():
                    self.tally.add(self._take(), "not run: the lab does not boot")
                return
            if self.fresh_disk:
                new_disks(self.place, group.spec)
                self.fresh_disk = False
            self.machine = self.lab.next_machine(self.place, group.spec)
            try:
                self._boot(self.machine)
            finally:
                self.machine.kill()

    def _next(self) -> Optional[Test]:
        """The test that goes on after a boot, or a new one."""
        if self.current is None and not self._stopped():
            self.current = self.schedule.take(self.group)
        return self.current

    def _boot(self, machine: Machine) -> None:
        self.cut_at = None
        machine.log.mkdir(parents=True)
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
        elif kind == "ready":
            return self._send_next(machine)
        elif kind == "begin":
            self.running, self.begun = True, time.monotonic()
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
        return True

    def _send_next(self, machine: Machine) -> bool:
        test = self._next()
        if test is None:
            return False
        machine.write(json.dumps({"name": test.name, "file": test.file, "function": test.function,
                                  "timeout": test.limit, "phase": test.phase}).encode() + b"\n")
        self.deadline = time.monotonic() + self.lab.grace
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
        test = self.current
        self._count_time()
        self.current = None
        return test

    def _next_phase(self) -> None:
        self._count_time()
        self.current.phase += 1

    def _count_time(self) -> None:
        if self.running:
            self.current.seconds += time.monotonic() - self.begun
        self.running = False

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
        if self._next():
            self.tally.add(self._take(), why, machine.last_words(), machine.console)
