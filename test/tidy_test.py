"""tidy.py tells what it should, and nothing else: each rule on a tree of its own."""

import pathlib
import re
import tempfile
import unittest

import tidy

HEADER = "// X: what it is. Owner: nobody. Thread: any.\n#pragma once\n"


def findings(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tidy.Tidy(folder).run()


class Rules(unittest.TestCase):
    def told(self, name, text, what, line):
        found = findings({name: text})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{name}:{line}: "), found)
        self.assertIn(what, found[0])

    def good(self, name, text):
        self.assertEqual(findings({name: text}), [])

    def test_arrows_point_down(self):
        self.good("src/http/a.h", HEADER + '#include "io/b.h"\n#include "http/c.h"\n')
        self.told("src/io/a.h", HEADER + '#include "http/b.h"\n', "io/ may include base, task", 3)
        self.told("src/base/a.cc", '#include "task/b.h"\n', "base/ may include nothing", 1)

    def test_the_arrows_are_those_that_are_linked(self):
        cmake = pathlib.Path(__file__).resolve().parent.parent / "CMakeLists.txt"
        links = {m[1]: set(m[2].split()) & set(tidy.FLOORS) for m in
                 re.finditer(r"^floor\((\w+) (.*)\)$", cmake.read_text(), re.M)}

        def below(floor):
            return set().union(*({b} | below(b) for b in links[floor]))

        # A pattern is linked with io, for what lies between; it may not include it.
        expected = {floor: below(floor) - ({"io"} if floor == "patterns" else set())
                    for floor in links}
        self.assertEqual({floor: set(may) for floor, may in tidy.FLOORS.items()}, expected)

    def test_a_pattern_never_includes_io_or_another_pattern(self):
        self.told("src/patterns/x/a.cc", '#include "io/b.h"\n', "not io/", 1)
        self.told("src/patterns/x/a.cc", '#include "patterns/y/b.h"\n', "includes another", 1)
        self.good("src/patterns/x/a.cc", '#include "patterns/x/b.h"\n#include "service/s.h"\n')

    def test_time_and_chance_come_from_the_loop(self):
        self.told("src/http/a.cc", "auto t = std::chrono::steady_clock::now();\n", "Loop", 1)
        self.told("src/http/a.cc", "std::random_device d;\n", "Loop", 1)
        self.told("src/http/a.cc", "timespec t; ::clock_gettime(CLOCK_REALTIME, &t);\n", "Loop", 1)
        self.told("src/http/a.cc", "auto t = std::time(nullptr);\n", "Loop", 1)
        self.told("src/http/a.cc", "int n = rand();\n", "Loop", 1)
        self.good("src/http/a.cc", "line.time(now), entropy.rand(), AccessLine::time(out);\n")
        self.good("src/io/native_engine.cc", "auto t = std::chrono::steady_clock::now();\n")

    def test_printing_is_for_main(self):
        for call in ("std::cout << x;", "printf(x);", "std::fprintf(stderr, x);", "snprintf(b, n, x);"):
            self.told("src/http/a.cc", f"{call}\n", "the log", 1)
        self.good("src/http/a.cc", "fmt::print(x);\n")
        self.good("src/base/check.cc", "std::fprintf(stderr, x);\n")

    def test_comments_and_texts_are_free(self):
        self.good("src/http/a.cc", '// throw\nauto a = "throw";\n')
        self.told("src/http/a.cc", "throw 1;\n", "values", 1)
        self.good("src/http/a.cc", 'auto a = R"x(\nthrow 1;\n' + "z" * 200 + '\n)x";\n')

    def test_an_unfinished_thing_is_told(self):
        self.told("src/http/a.cc", "int TO" "DO = 1;\n", "finish", 1)

    def test_tests_do_not_sleep_or_skip(self):
        body = "TEST(A, B) { EXPECT_TRUE(f()); }\n"
        self.told("test/http/a_test.cc", body + "auto f = std::this_thread::sleep_for(x);\n",
                  "virtual time", 2)
        self.told("test/http/a_test.cc", body + "auto g = [] { GTEST_SKIP(); };\n", "cannot fail", 2)

    def test_a_test_without_assertion(self):
        self.told("test/http/a_test.cc", "TEST(A, B) { f(); }\n", "cannot fail", 1)

    def test_headers_open_with_what_they_are(self):
        self.told("src/http/a.h", "// X. Owner: a. Thread: b.\nint x;\n", "pragma", 1)
        self.told("src/http/a.h", "// X.\n#pragma once\n", "Owner", 1)

    def test_sizes(self):
        self.told("src/http/a.cc", "int x;\n" * 701, "701 lines", 1)
        self.told("src/http/a.cc", "int " + "x" * 100 + ";\n", "columns", 1)
        self.told("src/http/a.cc", "void f() {\n" + "  g();\n" * 61 + "}\n", "61 lines", 1)
        self.good("src/http/a.cc", "void f() {\n" + "  g();\n" * 60 + "}\n")
        self.good("src/http/a.cc", "namespace a {\n" + "int x;\n" * 100 + "}\n")


if __name__ == "__main__":
    unittest.main()
