"""tools/check finds each kind of breach, and nothing in a clean tree."""
import pathlib
import subprocess
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check"
ROOMS = """
braid_room(base stack/base)
braid_room(wire stack/wire base)
braid_room(ip stack/ip wire)
braid_room(tcp stack/tcp wire)
braid_room(mptcp stack/mptcp tcp)
braid_room(gateway gateway mptcp ip)
braid_room(platform platform base)
"""


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.put("CMakeLists.txt", ROOMS)
        for room in ["stack/base", "stack/wire", "stack/ip", "stack/tcp", "stack/mptcp", "gateway",
                     "platform"]:
            self.put(f"{room}/a.h", "#pragma once\n")

    def put(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def breaches(self):
        done = subprocess.run([CHECK, "--root", self.root], capture_output=True, text=True)
        lines = done.stdout.splitlines()[:-1]
        self.assertEqual(done.returncode, 1 if lines else 0, done.stdout + done.stderr)
        return lines

    def expect_one(self, path, text, place, words):
        self.put(path, text)
        found = self.breaches()
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{place}:"), found[0])
        self.assertIn(words, found[0])

    def test_edges_along_the_links_are_allowed(self):
        self.put("stack/mptcp/b.cpp", '#include "stack/tcp/a.h"\n#include "stack/base/a.h"\n')
        self.put("gateway/b.cpp", '#include "stack/ip/a.h"\n#include <vector>\n')
        self.put("gateway/main.cpp", '#include "platform/a.h"\n#include <signal.h>\n')
        self.put("tests/t_test.cpp", '#include <doctest/doctest.h>\n#include "platform/a.h"\n')
        self.put("stack/ip/b.cpp", '#include "lwip/ip.h"\n')
        self.put("stack/mptcp/keys.cpp", "#include <openssl/hmac.h>\n")
        self.put("platform/b.cpp", "#include <uv.h>\n#include <sys/socket.h>\n")
        self.put("gateway/config.cpp", "#include <yaml-cpp/yaml.h>\n")
        self.assertEqual(self.breaches(), [])

    def test_an_edge_against_the_links(self):
        self.expect_one("stack/tcp/b.cpp", '\n#include "stack/mptcp/a.h"\n', 2, "may not include")

    def test_the_gateway_does_not_see_the_platform(self):
        self.expect_one("gateway/b.cpp", '#include "platform/a.h"\n', 1, "may not include")

    def test_the_program_sees_both_and_is_seen_by_none(self):
        self.put("gateway/program/p.h", '#pragma once\n#include "platform/a.h"\n')
        self.put("gateway/main.cpp", '#include "gateway/program/p.h"\n')
        self.assertEqual(self.breaches(), [])
        self.expect_one("gateway/b.cpp", '#include "gateway/program/p.h"\n', 1, "the program")

    def test_the_platform_sees_base_alone(self):
        self.expect_one("platform/b.cpp", '#include "stack/wire/a.h"\n', 1, "may not include")

    def test_code_does_not_see_tests(self):
        self.put("tests/support/a.h", "#pragma once\n")
        self.expect_one("gateway/b.cpp", '#include "tests/support/a.h"\n', 1, "may be included")

    def test_format_where_a_tree_says_how(self):
        self.put("stack/tcp/b.cpp", "\nint  x;\n")
        self.assertEqual(self.breaches(), [])
        self.put(".clang-format", "BasedOnStyle: Google\n")
        told = subprocess.run([CHECK, "--root", self.root], capture_output=True, text=True).stdout
        if "is not installed" in told:
            self.skipTest(told.splitlines()[0])
        self.expect_one("stack/tcp/b.cpp", "\nint  x;\n", 2, "clang-format")

    def test_reserved_libraries(self):
        for header, who in [("lwip/ip.h", "lwIP"), ("openssl/evp.h", "OpenSSL"), ("uv.h", "libuv"),
                            ("yaml-cpp/yaml.h", "yaml-cpp"), ("doctest/doctest.h", "doctest")]:
            self.expect_one("stack/tcp/b.cpp", f"#include <{header}>\n", 1, who)

    def test_lwip_in_quotes_is_reserved_too(self):
        self.expect_one("tests/t.cpp", '#include "lwip/ip.h"\n#include <vector>\n', 1, "lwIP")

    def test_system_headers_stay_in_the_platform(self):
        self.expect_one("stack/tcp/b.cpp", "#include <sys/socket.h>\n", 1, "system header")
        self.expect_one("stack/tcp/b.cpp", "#include <thread>\n", 1, "system header")

    def test_a_header_named_from_beside_it(self):
        self.expect_one("stack/tcp/b.cpp", '#include "a.h"\n', 1, "no file of this tree")

    def test_a_header_that_is_not_there(self):
        self.expect_one("stack/tcp/b.cpp", '#include "stack/wire/gone.h"\n', 1, "does not exist")

    def test_too_long_a_file(self):
        self.put("stack/tcp/b.cpp", "\n" * 600)
        self.put("tests/t.cpp", "\n" * 800)
        self.assertEqual(self.breaches(), [])
        self.expect_one("stack/tcp/b.cpp", "\n" * 601, 601, "601 lines")
        self.put("stack/tcp/b.cpp", "")
        self.expect_one("tests/t.cpp", "\n" * 801, 801, "801 lines")

    def test_unfinished_work(self):
        for mark in ["TO" + "DO", "FIX" + "ME"]:
            self.expect_one("gateway/b.cpp", f"\n// {mark}: later\n", 2, mark)

    def test_a_header_without_its_guard(self):
        self.expect_one("stack/tcp/b.h", "int x;\n", 1, "#pragma once")


if __name__ == "__main__":
    unittest.main()
