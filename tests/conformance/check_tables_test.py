#!/usr/bin/env python3
"""The check of the conformance tables finds what it is there to find."""
import pathlib
import tempfile
import unittest

import check_tables

GOOD = """Rows: M1-M3

| id | status | asks | shown by |
|---|---|---|---|
| M1 | done | this | `unit/a_test.cpp` a name, with "quotes" |
| M2 | not done | a \\| b | nobody has written it |
| M3 | done | that | `lab/b_test.sh`<br>`unit/a_test.cpp` two halves of a name<br>and a remark |
"""
CASES = r'''
TEST_CASE("a name, with \"quotes\"") {}
  TEST_CASE("two halves"
            " of a name") {}
'''


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.tests = pathlib.Path(self.folder.name)
        for path, text in (("unit/a_test.cpp", CASES), ("lab/b_test.sh", ""), ("fuzz/c_fuzz.cpp", "")):
            (self.tests / path).parent.mkdir(exist_ok=True)
            (self.tests / path).write_text(text)

    def tearDown(self):
        self.folder.cleanup()

    def complaints(self, old="", new=""):
        self.assertIn(old, GOOD)
        return check_tables.check_table(GOOD.replace(old, new), self.tests)[0]

    def test_a_right_table_passes_and_is_counted(self):
        complaints, counts = check_tables.check_table(GOOD, self.tests)
        self.assertEqual(complaints, [])
        self.assertEqual(counts, {"done": 2, "not done": 1, "not applicable": 0})

    def test_a_missing_row_is_named(self):
        self.assertEqual(self.complaints("M1-M3", "M1-M4"), ["M4 has no line"])

    def test_an_unknown_row_is_named(self):
        self.assertEqual(self.complaints("M1-M3", "M1-M2"), ["M3 is no row of the checklist"])

    def test_a_row_twice_is_named(self):
        self.assertIn("M1 has two lines", self.complaints("| M2 |", "| M1 |"))

    def test_a_case_that_does_not_exist_is_named(self):
        self.assertEqual(len(self.complaints("two halves of", "two halves off")), 1)

    def test_a_file_that_does_not_exist_is_named(self):
        self.assertEqual(self.complaints("lab/b_", "lab/c_"), ["M3: there is no tests/lab/c_test.sh"])

    def test_a_file_alone_is_enough_for_scripts_and_fuzz_targets_only(self):
        self.assertEqual(self.complaints("lab/b_test.sh", "fuzz/c_fuzz.cpp"), [])
        self.assertEqual(len(self.complaints("lab/b_test.sh", "unit/a_test.cpp")), 1)

    def test_done_needs_a_test_and_not_done_a_reason(self):
        self.assertEqual(len(self.complaints("| not done |", "| done |")), 1)
        self.assertEqual(len(self.complaints("| nobody has written it |", "| |")), 1)

    def test_a_status_of_another_kind_is_named(self):
        self.assertEqual(len(self.complaints("| not done |", "| soon |")), 1)

    def test_ranges(self):
        self.assertEqual(check_tables.expand("S08-S10, O1"), ["S08", "S09", "S10", "O1"])
        self.assertEqual(check_tables.expand("MUST-9, MUST-15-MUST-16"),
                         ["MUST-9", "MUST-15", "MUST-16"])
        self.assertRaises(ValueError, check_tables.expand, "M1-S3")


if __name__ == "__main__":
    unittest.main()
