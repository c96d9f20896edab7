#!/usr/bin/env python3
"""The rules of the house that a compiler does not know: which floor may include which, how large
files and functions may be, and what must not be written. Run by `make check-rules`; each finding is
file:line, what is wrong, and what to do. Exit status 1 when there is one."""

import pathlib
import re
import sys

# What each floor may include: its own, and those below (docs/architecture.md).
FLOORS = {
    "base": [],
    "task": ["base"],
    "config": ["base"],
    "io": ["base", "task"],
    "http": ["base", "task", "io"],
    "service": ["base", "task", "io", "http"],
    "upstream": ["base", "task", "io", "http", "service", "config"],
    "patterns": ["base", "task", "http", "service", "config", "upstream"],
    "app": ["base", "task", "io", "http", "service", "config", "upstream", "patterns"],
}
# From one pattern to another there is no arrow; each folder is a pattern.
FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 60
COLUMNS_MAX = 100
# Ratchets: what is over the limit today, and may only get smaller.
LONGER_FUNCTIONS = {
    "test/http/h1_exchange_test.cc": 107,  # tables
    "test/http/h1_parse_test.cc": 81,
}

# Words that must not stand in src/, why, and the files that may have them.
# Only a machine whose kernel permits io_uring can tell; the contract runs everywhere.
KERNELS = ("test/io/uring_engine_test.cc",)
CLOCKS = ("src/io/native_engine.cc", "src/app/log_writer.cc", "src/app/log_file.cc")
FORBIDDEN = [
    (r"_clock::now\b", "time comes from Loop: the simulator cannot fake another clock", CLOCKS),
    (r"\b(?:usleep|nanosleep|sleep_for\s*\(\s*std::chrono.*this_thread|this_thread::sleep)",
     "a thread must not sleep: wait on the loop", ()),
    (r"\b(?:clock_gettime|gettimeofday)\b|(?<!\w)(?:std)?::time\(",
     "time comes from Loop: the simulator cannot fake another clock", ()),
    (r"\b(?:std::rand|srand|random_device|mt19937|getrandom|getentropy)\b|(?<![\w.>])rand\(",
     "randomness comes from Loop", ("src/app/process.cc",)),  # the seed
    (r"\bthrow\b", "errors are values: Result and TRY",
     ("src/base/arena.cc", "src/io/buffer.cc")),
    (r"\b(?:TO" r"DO|FIX" r"ME|XXX)\b", "finish it, or leave it out", ()),
    (r"\bstd::(?:cout|cerr)\b|(?<!\w)(?:[fs]|sn|vsn)?printf\(|(?<!\w)f?puts\(",
     "fmt::print in app/main, fmt::format and the log elsewhere", ("src/base/check.cc",)),
]
FORBIDDEN_IN_TESTS = [
    (r"\b(?:usleep|nanosleep|this_thread::sleep)", "a test must not sleep: use virtual time", ()),
    (r"\b(?:TO" r"DO|FIX" r"ME|XXX)\b", "finish it, or leave it out", ()),
    (r"\bGTEST_SKIP\b", "a test that may be skipped cannot fail", KERNELS),
]


class Tidy:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.findings = []

    def run(self):
        for path in sorted(self.root.glob("src/**/*")) + sorted(self.root.glob("test/**/*")):
            if path.suffix in (".h", ".cc"):
                self.check(path)
        return self.findings

    def tell(self, path, line, what):
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def check(self, path):
        lines = path.read_text(encoding="utf-8").split("\n")
        name = str(path.relative_to(self.root))
        code = without_comments(lines)
        if name.startswith("src/"):
            self.includes(path, lines)
            self.words(path, name, code, FORBIDDEN)
            if path.suffix == ".h":
                self.opening(path, lines)
        else:
            self.words(path, name, code, FORBIDDEN_IN_TESTS)
        self.sizes(path, name, lines, code)
        if name.endswith("_test.cc"):
            self.assertions(path, lines)

    def includes(self, path, lines):
        here = path.relative_to(self.root / "src").parts
        for number, line in enumerate(lines, 1):
            match = re.match(r'#include "([^"]+)"', line)
            if not match:
                continue
            there = match.group(1).split("/")
            if there[0] == here[0]:
                if here[0] == "patterns" and len(there) > 2 and there[1] != here[1]:
                    self.tell(path, number, f"a pattern includes another ({match.group(1)}): move "
                                            "what both need to a floor below")
            elif there[0] not in FLOORS.get(here[0], ()):
                allowed = ", ".join(FLOORS.get(here[0], [])) or "nothing"
                self.tell(path, number, f"{here[0]}/ may include {allowed}, not {there[0]}/")

    def words(self, path, name, code, rules):
        for number, line in enumerate(code, 1):
            for pattern, why, may in rules:
                if name not in may and re.search(pattern, line):
                    self.tell(path, number, f"'{re.search(pattern, line).group(0)}': {why}")

    def opening(self, path, lines):
        if not lines[0].startswith("// "):
            self.tell(path, 1, "a header opens with what it is, who owns it, which thread")
        comment = "\n".join(lines[:20])
        if "Owner:" not in comment or "Thread:" not in comment:
            self.tell(path, 1, "the opening comment names Owner: and Thread:")
        if "#pragma once" not in lines:
            self.tell(path, 1, "#pragma once is missing")

    def sizes(self, path, name, lines, code):
        if len(lines) - 1 > FILE_LINES_MAX:
            self.tell(path, 1, f"{len(lines) - 1} lines; {FILE_LINES_MAX} at most: part it by reason")
        for number, line in enumerate(lines, 1):
            # Texts that a program prints are as long as they are.
            if len(line) > COLUMNS_MAX and code[number - 1].strip():
                self.tell(path, number, f"{len(line)} columns; {COLUMNS_MAX} at most")
        for first, last in functions(code):
            size = sum(bool(line.strip()) for line in code[first:last - 1])
            if size > LONGER_FUNCTIONS.get(name, FUNCTION_LINES_MAX):
                self.tell(path, first, f"a function of {size} lines; {FUNCTION_LINES_MAX} at most")

    def assertions(self, path, lines):
        """Whole files: helpers may hold what a test expects."""
        text = "\n".join(lines)
        if not re.search(r"\b(?:EXPECT|ASSERT)_|\bADD_FAILURE|\bexpect\w*\(|\bCHECK\("
                         r"|INSTANTIATE_TYPED_TEST_SUITE_P|\bcheck\w*\(", text):
            self.tell(path, 1, "a test without an assertion cannot fail")


def without_comments(lines):
    """Line by line, without // comments and the insides of strings."""
    out = []
    raw = None
    for line in lines:
        if raw:
            end = line.find(raw)
            out.append("")
            if end >= 0:
                raw = None
            continue
        opened = re.search(r'R"(\w*)\(', line)
        if opened and f'){opened.group(1)}"' not in line[opened.end():]:
            raw = f'){opened.group(1)}"'
            out.append("")
            continue
        line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        line = re.sub(r"'(?:[^'\\]|\\.)'", "' '", line)
        out.append(line.split("//")[0])
    return out


def functions(code):
    """(first line, last line) of each body at the outermost depth of functions. A brace opens a
    function when it ends a line that holds the ')' of a parameter list; namespaces, classes and
    data do not count."""
    stack = []
    for number, line in enumerate(code, 1):
        for at, char in enumerate(line):
            if char == "{":
                before = line[:at]
                is_body = bool(re.search(r"\)\s*(?:const|noexcept|override|final|->.*|\s)*$", before)
                               ) and not re.search(r"\b(?:if|for|while|switch|catch)\b", before)
                inside = any(kind == "function" for kind, _ in stack)
                stack.append(("function" if is_body and not inside else "block", number))
            elif char == "}" and stack:
                kind, first = stack.pop()
                if kind == "function":
                    yield first, number


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    findings = Tidy(root).run()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
