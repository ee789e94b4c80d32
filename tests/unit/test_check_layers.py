#!/usr/bin/python3
"""What check_layers.py finds in a checkout, and what it lets pass."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import check_layers  # noqa: E402

TABLE = """# Folders

| folder | question |
| --- | --- |
| `src/low` | ? |

| folder | may use |
| --- | --- |
| `hook` | `high`, `low` |
| `pool-helper` | `high`, `low` |
| `high` | `low` |
| `low` | nothing |

| other | table |
"""


class Layers(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.checkout = Path(folder.name)
        self.put("docs/architecture.md", TABLE)
        self.put("hook/main.cc", '#include "high/high.h"\n#include <low/of/the/system.h>\n')
        self.put("pool-helper/main.cc", '#include "commands/list.h"\n#include "table.h"\n')
        self.put("pool-helper/commands/list.h", '#include "low/low.h"\n')
        self.put("src/high/high.h", '#include "low/low.h"\n')
        self.put("src/low/low.h", "")

    def put(self, name: str, text: str) -> None:
        path = self.checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def check(self, *expected: str) -> None:
        self.assertEqual(check_layers.check(self.checkout), list(expected))

    def test_what_is_allowed(self) -> None:
        self.check()

    def test_an_include_from_above(self) -> None:
        self.put("src/low/low.cc", '#include "low/low.h"\n#include "high/high.h"\n')
        self.check("src/low/low.cc: includes from 'high', which 'low' may not use (docs/architecture.md)")

    def test_an_include_of_a_program_below_its_folder(self) -> None:
        self.put("hook/more/more.cc", '  # include "third/third.h"\n')
        self.check("hook/more/more.cc: includes from 'third', which 'hook' may not use "
                   "(docs/architecture.md)")

    def test_a_folder_that_is_not_in_the_table(self) -> None:
        self.put("src/third/third.h", '#include "low/low.h"\n')
        self.check("docs/architecture.md: the folder 'third' has no line")

    def test_a_line_without_a_folder(self) -> None:
        self.put("docs/architecture.md", TABLE.replace("| `low` | n", "| `third` | nothing |\n| `low` | n"))
        self.check("docs/architecture.md: there is no folder 'third'")

    def test_a_circle(self) -> None:
        self.put("docs/architecture.md", TABLE.replace("| `low` | nothing |", "| `low` | `high` |"))
        self.check("docs/architecture.md: 'low' may use 'high', which does not stand further down")

    def test_no_table(self) -> None:
        self.put("docs/architecture.md", "")
        self.assertEqual(check_layers.check(self.checkout)[0],
                         "docs/architecture.md has no table 'folder | may use'")


if __name__ == "__main__":
    unittest.main()
