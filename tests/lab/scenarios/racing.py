"""Many domains start and end at once on a few pools, while an administrator attaches and detaches
them by hand and libvirt looks at them again and again: a test of any length and number.

Importable on the host as well, like zlab.
"""

import itertools
import json
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List

import zlab
from toolbox.monitoring import Monitor
from toolbox.pools import CLAIMS, Pool, get, make_pool, storage_pools, wait_for_device, with_uuid
from zlab import KIB, MIB, Domain, Done, Lab, sh, virsh, zraid

BOUND = 400                     # seconds for each command: twenty starts at once share an emulator
VOLUME = 11 * MIB               # of a domain in a pool
LENGTH = 64 * KIB               # written at each start


class Party:
    """What all threads share: the time that is left, what went wrong, what was done how often."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self.wrong: List[str] = []
        self.done: Counter = Counter()
        self.longest: Dict[str, float] = {}
        self.users_at_once: Dict[str, int] = {}

    def over(self) -> bool:
        return time.monotonic() > self.end or bool(self.wrong)

    def must(self, what: str, run: Callable[..., Done], *words: Any) -> Done:
        """Run a command that has to work whatever else goes on."""
        begun = time.monotonic()
        try:
            done = run(*words, check=False, quiet=True, timeout=BOUND)
        except AssertionError as late:
            done = Done(-1, "", str(late))
        seconds = time.monotonic() - begun
        with self._lock:
            self.done[what] += 1
            self.longest[what] = max(seconds, self.longest.get(what, 0.0))
            line = f"{' '.join(map(str, words))}  -> {done.rc} ({seconds:.1f} s) {done.err.strip()}"
            if done.rc != 0 or what in ("start", "destroy"):
                zlab.say(line)
            if done.rc != 0:
                self.wrong.append(line)
        return done

    def note_users(self, infos: List[Dict[str, Any]]) -> None:
        for info in infos:
            self.users_at_once[info["name"]] = max(len(info["users"]), self.users_at_once.get(info["name"], 0))


class Guest:
    """A domain with a disk on each of two pools, and what it wrote last to each."""

    def __init__(self, name: str, disks: List[str]):
        self.devices = disks
        self.pools = len({disk.rpartition("p")[0] for disk in disks})
        self.domain = with_uuid(Domain(name, [{"dev": disk} for disk in disks]))
        self.cycles = 0

    def live(self, party: Party) -> None:
        """Start, write and destroy, once at least."""
        while self.cycles == 0 or not party.over():
            if party.must("start", virsh, "start", self.domain.name).rc != 0:
                return
            pattern = self.cycles % 250 + 1
            for disk in range(len(self.devices)):
                if self.cycles:
                    self.domain.qemu_io(f"read -P {pattern - 1 or 250} 0 {LENGTH}", disk, timeout=BOUND)
                self.domain.qemu_io(f"write -f -P {pattern} 0 {LENGTH}", disk, timeout=BOUND)
            self.cycles += 1
            if len(list(CLAIMS.glob(f"*/{self.domain.uuid}.json"))) != self.pools:
                party.wrong.append(f"{self.domain.name} runs and claims not all of its pools")
            party.must("destroy", virsh, "destroy", self.domain.name)

    def assert_whole(self) -> None:
        for device in self.devices:
            expected = bytes([(self.cycles - 1) % 250 + 1]) * LENGTH
            assert get(device, 0, LENGTH) == expected, f"{device} after {self.cycles} starts"


def _live(party: Party, guest: Guest) -> None:
    guest.live(party)


def _administer(party: Party, pools: List[Pool]) -> None:
    """attach and detach by hand: both are right at any time, with and without users."""
    for command in itertools.cycle(("attach", "detach")):
        if party.over():
            return
        party.must(command, zraid, command, random.choice(pools).name)


def _look(party: Party, pools: List[Pool]) -> None:
    while not party.over():
        party.must("info", zraid, "info", random.choice(pools).name, "--json")
        listed = party.must("list", zraid, "list", "--json")
        if listed.rc == 0:
            party.note_users(json.loads(listed.out))


def _refresh(party: Party, pools: List[Pool]) -> None:
    while not party.over():
        party.must("pool-refresh", virsh, "pool-refresh", random.choice(pools).name)


def _guarded(party: Party, work: Callable[..., None], *arguments: Any) -> None:
    try:
        work(party, *arguments)
    except BaseException as error:      # told at the end
        party.wrong.append(f"{work.__qualname__}: {error!r}")


def _remove(name: str) -> None:
    # A domain that is still being started keeps this waiting until it is.
    virsh("destroy", name, check=False, timeout=BOUND)
    virsh("undefine", name, timeout=BOUND)


def _remove_all() -> None:
    names = virsh("list", "--all", "--name", timeout=BOUND).out.split()
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(_remove, names))


def _make(lab: Lab, domains: int, pools: int) -> tuple:
    """Pools with a partition for each disk, and domains that have their disks on two pools each."""
    made = [make_pool(lab, f"race{number}", "96M") for number in range(pools)]
    homes = [(number % pools, (number * 3 + 1) % pools) for number in range(domains)]
    disks: Dict[int, List[str]] = {number: [] for number in range(pools)}
    guests: List[List[str]] = [[] for _ in range(domains)]
    for guest, (first, second) in enumerate(homes):
        for pool in {first, second}:
            disks[pool].append(f"{made[pool].md}p{len(disks[pool]) + 1}")
            guests[guest].append(disks[pool][-1])
    for number, pool in enumerate(made):
        words: List[str] = []
        for place in range(len(disks[number])):
            begin = MIB + place * VOLUME
            words += ["mkpart", f"part{place}", f"{begin}B", f"{begin + VOLUME - 1}B"]
        sh(["parted", "--script", pool.md, *words])
        for disk in disks[number]:
            wait_for_device(disk)
    lab.defer(_remove_all)
    party = [Guest(f"guest{number}", guests[number]) for number in range(domains)]
    for guest in party:
        guest.domain.define()
    return made, party


def _at_rest(pools: List[Pool]) -> None:
    assert not CLAIMS.exists() or list(CLAIMS.iterdir()) == []
    for pool in pools:
        zraid("detach", pool.name)      # where one was attached by hand last
        pool.assert_at_rest()
    assert zlab.zrams() == []
    assert sorted(zlab.loops().values()) == sorted(str(pool.image) for pool in pools)
    active = {name for name, words in storage_pools().items() if words[0] == "active"}
    assert active == {pool.name for pool in pools}, active


def _scrub(pool: Pool) -> None:
    zraid("attach", pool.name)
    zraid("wait", pool.name, "--timeout", BOUND, timeout=BOUND + 30)
    zraid("scrub", pool.name, timeout=BOUND)
    zraid("detach", pool.name)
    pool.assert_at_rest()


def run(lab: Lab, seconds: float, domains: int, pools: int) -> None:
    """All of it at once for so long. A start or any other command that fails, and a domain that does
    not find what it wrote, end it."""
    made, guests = _make(lab, domains, pools)
    monitor = Monitor(lab)      # it asks libvirt who runs: a domain that starts must not look as if it were gone
    party = Party(seconds)
    work = [(_live, guest) for guest in guests] + [(act, made) for act in (_administer, _look, _refresh)]
    threads = [threading.Thread(target=_guarded, args=(party, *what), daemon=True) for what in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        # Whoever is late has a command or two to end.
        thread.join(max(0.0, party.end - time.monotonic()) + 2 * BOUND)
    longest = {what: round(value, 1) for what, value in party.longest.items()}
    zlab.say(f"{dict(party.done)}; longest {longest}; users at once {party.users_at_once}")
    assert not [thread for thread in threads if thread.is_alive()], "somebody waits for ever"
    assert not party.wrong, "\n".join(party.wrong)
    assert monitor.process.poll() is None, "the monitor died"
    monitor.end()
    zlab.say(f"the monitor: {monitor.said()}")
    # The race took place.
    assert party.done["start"] == party.done["destroy"] >= domains
    for what in ("attach", "detach", "info", "list", "pool-refresh"):
        assert party.done[what] >= 2, party.done
    assert max(party.users_at_once.values()) > 1, "no two domains were on a pool at once"

    _at_rest(made)
    zlab.drop_caches()
    for guest in guests:
        guest.assert_whole()
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(_scrub, made))
    _at_rest(made)
    for guest in guests:
        guest.assert_whole()
