#!/usr/bin/python3
"""What the built programs do that needs no kernel: exit codes, one clear line, nothing on stdout.

usage: test_programs.py PATH-OF-ZRAID-POOL PATH-OF-ZRAID-HOOK PATH-OF-ZRAID-MD-ALERT

Runs as root and as anybody else; the cases that need one of the two make themselves so, or say
that they were left out.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))
from toolbox.terminal import on_terminal  # noqa: E402 pylint: disable=wrong-import-position

POOL = ""
HOOK = ""
MD_ALERT = ""
COMMANDS = ["define", "undefine", "start", "stop", "list", "info", "dumpxml", "attach", "detach", "wait",
            "vol-create", "vol-list", "vol-delete", "budget", "mdadm-mail"]
NOBODY = 65534
DOMAIN = "zraid-test-no-such-domain"


def run(*words: str, text: str = "", **options) -> subprocess.CompletedProcess:
    """Runs a program with `text` on stdin and nothing of our environment."""
    return subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/bin:/bin"}, **options)


class Case(unittest.TestCase):
    def check(self, result: subprocess.CompletedProcess, code: int, err: str) -> None:
        """Exit code, nothing on stdout, and one line on stderr that matches (no line for "")."""
        self.assertEqual(result.returncode, code, result)
        self.assertEqual(result.stdout, "", result)
        if err:
            self.assertRegex(result.stderr, err)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertTrue(result.stderr.endswith("\n"), result.stderr)
        else:
            self.assertEqual(result.stderr, "")


class ZraidPool(Case):
    def test_help_lists_the_commands(self):
        result = run(POOL, "--help")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, "")
        for command in COMMANDS:
            self.assertRegex(result.stdout, rf"(?m)^\s+{command}\s")

    def test_one_pool_or_all(self):
        for command in ("start", "stop"):
            self.check(run(POOL, command), 2, "which pool.*give a pool's name, or --all")
            self.check(run(POOL, command, "vm", "--all"), 2, "--all and a pool's name")

    def test_help_of_each_command(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = run(POOL, command, "--help")
                self.assertEqual(result.returncode, 0, result)
                self.assertEqual(result.stderr, "")
                self.assertIn(command, result.stdout)

    def test_version(self):
        result = run(POOL, "--version")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, "")
        self.assertRegex(result.stdout, r"^\d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        for words in (["--no-such-option"], ["no-such-command"], [], ["info"], ["info", "a", "b"],
                      ["list", "--no-such-option"], ["define", "vm"], ["define", "--image", "/x"],
                      ["define", "vm", "--image"], ["define", "vm", "--image", "/x", "--md", "many"],
                      ["wait", "vm", "--timeout", "soon"], ["wait", "vm", "--timeout", "-1"],
                      ["vol-create", "vm"], ["info", "vm", "--jso"], ["--connect"], ["mdadm-mail"],
                      ["mdadm-mail", "filter", "status"]):
            with self.subTest(words):
                self.check(run(POOL, *words), 2, r"^zraid-pool: .*\. Next: .*--help")

    def test_usage_errors_name_the_option(self):
        self.assertIn("--no-such-option", run(POOL, "--no-such-option").stderr)
        self.assertIn("--no-such-option", run(POOL, "list", "--no-such-option").stderr)
        self.assertIn("--image", run(POOL, "define", "vm").stderr)
        self.assertIn("POOL", run(POOL, "info").stderr)
        self.assertIn("no-such-command", run(POOL, "no-such-command").stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_bad_values(self):
        """Told in our own words, before anything is looked at or changed."""
        image = "/nonexistent/vm.img"
        for words, text in (
                (["info", "a/b"], "'a/b' is no pool name"),
                (["info", ""], "'' is no pool name"),
                (["stop", "../x"], "'../x' is no pool name"),
                (["define", "-x", "--image", image], ""),
                (["define", "a b", "--image", image, "--size", "1G"], "'a b' is no pool name"),
                (["define", "vm", "--image", image, "--size", "big"], "'big' is no size"),
                (["define", "vm", "--image", image, "--size", "1.5G"], "unknown unit"),
                (["define", "vm", "--image", image, "--size", "0"], "too small for a pool"),
                (["define", "vm", "--image", image, "--size", "15M"], "give at least 16M"),
                (["define", "vm", "--image", image, "--size", "17T"], "give at most 16T"),
                (["define", "vm", "--image", "vm.img", "--size", "1G"], "image path 'vm.img' is relative"),
                (["define", "vm", "--image", image, "--size", "1G", "--md", "512"], "from 0 to 511"),
                (["define", "vm", "--image", image, "--size", "1G", "--type", "lvm"], "disk"),
                (["define", "vm", "--image", image, "--size", "1G", "--attach", "never"], "on-demand"),
                (["define", "vm", "--image", image, "--size", "1G", "--ram-limit", "x"], "'x' is no size")):
            with self.subTest(words):
                self.check(run(POOL, *words), 2, "^zraid-pool: .*" + re.escape(text))

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_unknown_pool(self):
        name = "zraid-test-no-such-pool"
        for command in ("info", "dumpxml", "start", "stop", "attach", "detach", "undefine", "wait"):
            with self.subTest(command):
                self.check(run(POOL, command, name), 1,
                           rf"^zraid-pool: pool '{name}': there is no pool '{name}'\. Next: zraid-pool list")

    def as_nobody(self, *words: str) -> subprocess.CompletedProcess:
        if os.geteuid() != 0:
            return run(POOL, *words)
        # The build's folders may be closed to others.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            program = shutil.copy(POOL, folder)
            os.chmod(program, 0o755)
            return run(program, *words, user=NOBODY, group=NOBODY, extra_groups=[])

    def test_needs_root(self):
        for words in (["list"], ["info", "vm"], ["budget", "--json"], ["stop", "vm"]):
            with self.subTest(words):
                self.check(self.as_nobody(*words), 1,
                           r"^zraid-pool: zraid-pool needs to be root\. Next: run it with sudo$")

    def test_help_needs_no_root(self):
        for words in (["--help"], ["define", "--help"], ["--version"]):
            self.assertEqual(self.as_nobody(*words).returncode, 0)
        self.check(self.as_nobody("--no-such-option"), 2, "^zraid-pool: ")

    def test_colours_only_where_they_are_wanted(self):
        red = "\x1b[31mzraid-pool:\x1b[0m "
        words = [POOL, "no-such-command"]
        self.assertTrue(on_terminal(words).text.startswith(red))
        self.assertTrue(on_terminal(words, env={"NO_COLOR": ""}).text.startswith(red))
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertTrue(on_terminal(words, env=env).text.startswith("zraid-pool: there is no command"), env)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_destroys_nothing_unasked(self):
        name = "zraid-test-no-such-pool"
        for words in (["undefine", name, "--remove-image"], ["vol-delete", name, "md100p1"]):
            with self.subTest(words):
                self.check(run(POOL, *words), 2, f"^zraid-pool: pool '{name}': .*no terminal.*Next: add --yes")
                seen = on_terminal([POOL, *words], "yes\n")
                self.assertEqual(seen.rc, 1, seen)
                self.assertIn(f"there is no pool '{name}'", seen.text)
                self.assertNotIn("Go on?", seen.text)

    def test_tells_when_it_cannot_print(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([POOL, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=60,
                                    check=False)
        self.assertNotEqual(result.returncode, 0)


class ZraidHook(Case):
    def test_too_few_arguments(self):
        for words in ([], ["vm"], ["vm", "prepare"]):
            with self.subTest(words):
                self.check(run(HOOK, *words), 2, "^zraid-hook: libvirt's arguments are missing: ")

    def test_operations_that_are_not_ours(self):
        for words in (["start", "begin"], ["started", "begin"], ["stopped", "end"], ["migrate", "begin"],
                      ["restore", "begin"], ["attach", "begin"], ["prepare", "end"], ["release", "begin"],
                      ["no-such-operation", "begin"], ["", ""]):
            with self.subTest(words):
                self.check(run(HOOK, DOMAIN, *words, "-", text="<domain/>"), 0, "")
                self.check(run(HOOK, DOMAIN, *words, "-", text="no XML at all"), 0, "")

    def test_operations_that_are_not_ours_read_nothing(self):
        """migrate and restore hand over an XML with secrets on stdin, and read stdout."""
        reader, writer = os.pipe()
        os.write(writer, b"secret")
        result = subprocess.run([HOOK, DOMAIN, "migrate", "begin", "-"], stdin=reader, capture_output=True,
                                timeout=60, check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))
        self.assertEqual(os.read(reader, 100), b"secret")
        os.close(reader)
        os.close(writer)

    def test_broken_xml(self):
        huge = "<domain>" + " " * (10 << 20)
        for text, reason in (("", "the domain XML is empty"), ("<domain>", "the domain XML is broken at byte"),
                             ("<network/>", "it has no <domain>"),
                             ("<!DOCTYPE domain><domain/>", "document type declaration"),
                             (huge, "longer than")):
            with self.subTest(reason):
                self.check(run(HOOK, DOMAIN, "prepare", "begin", "-", text=text), 1, "^zraid: .*" + reason)
                # Anything but 0 would kill the running domain.
                self.check(run(HOOK, DOMAIN, "reconnect", "begin", "-", text=text), 0, "^zraid: .*" + reason)

    def test_release_of_a_domain_without_claims(self):
        """Only its exit code and stdout: a host with pools in use gets a warning."""
        result = run(HOOK, DOMAIN, "release", "end", "-", text="<domain")
        self.assertEqual((result.returncode, result.stdout), (0, ""), result)

    def test_domain_without_a_zraid_disk(self):
        xml = ("<domain><name>" + DOMAIN + "</name><uuid>11111111-1111-1111-1111-111111111111</uuid><devices>"
               "<disk><source file='/no/such/image'/></disk></devices></domain>")
        for operation in (["prepare", "begin"], ["reconnect", "begin"], ["release", "end"]):
            self.check(run(HOOK, DOMAIN, *operation, "-", text=xml), 0, "")

    def test_loads_no_libvirt(self):
        """libvirt's library in a hook that libvirt waits for: a call back would hang; libxml2 brings
        along what takes longer to load than a domain without zraid disks should wait."""
        needed = run("/usr/bin/ldd", HOOK).stdout
        self.assertIn("libc.so", needed)
        self.assertNotIn("libvirt.so", needed)
        self.assertNotIn("libxml2.so", needed)


class ZraidPoolsLibraries(Case):
    def test_libvirt_and_libxml2_are_loaded_by_who_asks_them(self):
        """They bring sixty libraries along, which take longer to load than a look at a pool takes."""
        needed = run("/usr/bin/ldd", POOL).stdout
        self.assertIn("libc.so", needed)
        self.assertNotIn("libvirt.so", needed)
        self.assertNotIn("libxml2.so", needed)


class ZraidMdAlert(Case):
    # More than this would mail the administrator of the machine: tests/lab does.
    def test_wants_mdadms_arguments(self):
        for words in ([], ["Fail"], ["Fail", "/dev/md0", "/dev/sda", "more"]):
            with self.subTest(words):
                self.check(run(MD_ALERT, *words), 2, "^zraid-md-alert: mdadm's arguments are missing: ")

    def test_does_not_load_libvirt(self):
        needed = run("/usr/bin/ldd", MD_ALERT).stdout
        self.assertNotIn("libvirt", needed)


def main() -> None:
    global POOL, HOOK, MD_ALERT
    POOL, HOOK, MD_ALERT = (str(Path(path).resolve()) for path in sys.argv[1:4])
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)


if __name__ == "__main__":
    main()
