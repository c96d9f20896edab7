"""The command line: what a file's author, an editor and a script get to see."""

import json
import pathlib
import tempfile
import unittest

from harness import ROOT, banyan

BAD = """\
version: 1
listenrs: { public: 127.0.0.1:0 }
listeners:
  public: nowhere
  api: { address: 127.0.0.1:0, connections: 0 }
services:
  catalog: { endpoints: [http://127.0.0.1:1], timeout: { connect: soon } }
  canary: { split: { to: { catalgo: 1, catalog: 1 } } }
routes:
  - { name: one, match: { path: /a }, to: catalog }
  - { match: { path: "/a" }, to: catalog }
  - { match: { path: /b }, to: cannary }
  - { match: { path: /c } }
shutdown: { grace: 48h }
"""
# Line and column, and words that must be there.
PROBLEMS = [
    (2, 1, ("unknown word 'listenrs'", "did you mean 'listeners'?")),
    (4, 11, ("listeners.public", "'nowhere' is no address")),
    (5, 45, ("listeners.api.connections", "1")),
    (7, 67, ("services.catalog.timeout.connect", "'soon'")),
    (8, 28, ("services.canary.split.to", "no service 'catalgo'", "did you mean 'catalog'?")),
    (11, 5, ("equal to route 'one'", "banyan.yaml:10:5")),
    (12, 5, ("routes[2].to", "no service 'cannary'", "did you mean 'canary'?")),
    (13, 5, ("routes[3]", "exactly one of to, redirect, respond")),
    (14, 20, ("shutdown.grace", "1d")),
]

NEVER = """\
version: 1
listeners: { public: 127.0.0.1:0 }
routes:
  - { name: tunnel, match: { path: /x, methods: [CONNECT] }, respond: {} }
  - { name: slashless, match: { path_regex: "nothing" }, respond: {} }
  - { respond: {} }
"""


class CommandLineTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="banyan-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, text, name="banyan.yaml"):
        path = self.folder / name
        path.write_text(text)
        return str(path)


class CheckTest(CommandLineTest):
    def test_all_problems_are_told_at_once_with_their_places(self):
        path = self.file(BAD)
        told = banyan("check", "-c", path)
        self.assertEqual(told.returncode, 1)
        lines = told.stdout.splitlines()
        self.assertEqual(lines[-1], f"{path}: {len(PROBLEMS)} problems")
        self.assertEqual(len(lines), len(PROBLEMS) + 1, told.stdout)
        for line, (row, column, words) in zip(lines, PROBLEMS):
            self.assertTrue(line.startswith(f"{path}:{row}:{column}: "), f"{line}; not {row}:{column}")
            for word in words:
                self.assertIn(word, line)
        self.assertEqual(told.stderr, "")

    def test_the_same_for_programs(self):
        path = self.file(BAD)
        told = banyan("check", "-c", path, "--json")
        self.assertEqual(told.returncode, 1)
        problems = json.loads(told.stdout)
        self.assertEqual([(p["line"], p["column"]) for p in problems],
                         [(row, column) for row, column, _ in PROBLEMS])
        for problem in problems:
            self.assertEqual(set(problem),
                             {"file", "line", "column", "path", "message", "severity"})
            self.assertEqual((problem["file"], problem["severity"]), (path, "error"))

    def test_a_problem_of_an_included_file_names_that_file(self):
        team = self.file("routes: [ { to: nobody } ]\n", "team.yaml")
        main = self.file(f"include: {team}\nversion: 1\nlisteners: {{ public: 127.0.0.1:0 }}\n")
        told = banyan("check", "-c", main)
        self.assertEqual(told.returncode, 1)
        self.assertIn(f"{team}:1:11: routes[0].to: there is no service 'nobody'", told.stdout)

    def test_routes_that_never_match_are_a_warning(self):
        path = self.file(NEVER)
        told = banyan("check", "-c", path)
        self.assertEqual(told.returncode, 0, told.stdout)
        self.assertIn(f"{path}:4:5: warning: match: this route can never match: CONNECT",
                      told.stdout)
        self.assertIn(f"{path}:5:5: warning: match: this route can never match: a path begins",
                      told.stdout)
        self.assertTrue(told.stdout.endswith("good: 1 listeners, 0 services, 3 routes\n"))

    def test_syntax(self):
        path = self.file("version: 1\nlisteners: { public: [ }\n")
        told = banyan("check", "-c", path)
        self.assertEqual(told.returncode, 1)
        self.assertIn(f"{path}:2:", told.stdout)
        self.assertTrue(told.stdout.endswith(f"{path}: 1 problem\n"), told.stdout)

    def test_a_file_that_is_not_there(self):
        told = banyan("check", "-c", str(self.folder / "none.yaml"))
        self.assertEqual(told.returncode, 1)
        self.assertIn("cannot read", told.stdout)
        self.assertNotIn("listeners", told.stdout, "what it lacks therefore is no news")

    def test_the_environment(self):
        path = self.file("version: 1\nlisteners: { public: \"${AT}\" }\nroutes: [ { respond: {} } ]\n")
        self.assertEqual(banyan("check", "-c", path, env={"AT": "127.0.0.1:0"}).returncode, 0)
        told = banyan("check", "-c", path)
        self.assertEqual(told.returncode, 1)
        self.assertIn("AT", told.stdout)

    def test_the_examples_are_good(self):
        examples = sorted((ROOT / "examples").glob("*.yaml"))
        self.assertGreaterEqual(len(examples), 2)
        for example in examples:
            told = banyan("check", "-c", str(example))
            self.assertEqual(told.returncode, 0, told.stdout)
            self.assertEqual(len(told.stdout.splitlines()), 1, f"no warnings: {told.stdout}")


class ExplainTest(CommandLineTest):
    DEMO = str(ROOT / "examples" / "demo.yaml")

    def line(self, told, name):
        return next(line.split(None, 1)[1] for line in told.stdout.splitlines()
                    if line.split(None, 1)[:1] == [name])

    def test_the_winner_and_the_others(self):
        told = banyan("explain", "-c", self.DEMO, "GET", "http://localhost:8080/products/7?x=1",
                      "-H", "x-api-version: 3")
        self.assertEqual(told.returncode, 0)
        self.assertIn("product-v3", self.line(told, "route"))
        self.assertEqual(self.line(told, "capture"), "id = 7")
        self.assertIn("127.0.0.1:9007", self.line(told, "endpoint"))
        self.assertRegex(told.stdout, r"product \(.*demo.yaml:\d+:\d+\): less specific")

    def test_without_the_header_another_wins(self):
        told = banyan("explain", "-c", self.DEMO, "GET", "/products/7")
        self.assertTrue(self.line(told, "route").startswith("product ("))
        self.assertRegex(told.stdout, r"product-v3 \(.*x-api-version")

    def test_a_rewrite(self):
        told = banyan("explain", "-c", self.DEMO, "GET", "/api/v1/items/2")
        self.assertEqual(self.line(told, "rewrite"), "the service sees /products/2")

    def test_nothing_fits(self):
        told = banyan("explain", "-c", self.DEMO, "GET", "/nowhere")
        self.assertEqual(told.returncode, 0)
        self.assertIn("404", self.line(told, "answer"))

    def test_what_is_no_request(self):
        for arguments in (("GET", "nonsense"), ("G T", "/"), ("GET", "/%zz"),
                          ("GET", "/", "-H", "no colon"), ("GET", "/", "--client", "me")):
            told = banyan("explain", "-c", self.DEMO, *arguments)
            self.assertEqual(told.returncode, 1, arguments)
            self.assertEqual(told.stdout, "")
            self.assertEqual(len(told.stderr.splitlines()), 1, told.stderr)

    def test_a_bad_file(self):
        told = banyan("explain", "-c", self.file(BAD), "GET", "/")
        self.assertEqual(told.returncode, 1)
        self.assertEqual(len(told.stderr.splitlines()), len(PROBLEMS))


class ReferenceTest(CommandLineTest):
    def test_the_manual_in_the_repository_is_the_programs(self):
        told = banyan("manual")
        self.assertEqual(told.returncode, 0)
        self.assertEqual(told.stdout, (ROOT / "docs" / "manual.md").read_text(),
                         "write it again: banyan manual > docs/manual.md")

    def test_the_schema_is_sound(self):
        told = banyan("schema")
        self.assertEqual(told.returncode, 0)
        schema = json.loads(told.stdout)
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        for target in references(schema):
            self.assertTrue(target.startswith("#/$defs/"), target)
            self.assertIn(target.removeprefix("#/$defs/"), schema["$defs"])
        sections = schema["$defs"]["configuration"]["properties"]
        for name in ("listeners", "services", "routes", "admin", "offload", "shutdown"):
            self.assertIn("description", sections[name])

    def test_the_schema_takes_what_the_program_takes_and_refuses_what_it_refuses(self):
        try:
            import jsonschema
            import yaml
        except ImportError as missing:
            self.skipTest(f"{missing}: the packages python3-jsonschema and python3-yaml")
        schema = json.loads(banyan("schema").stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for example in sorted((ROOT / "examples").glob("*.yaml")):
            wrong = [error.message for error in validator.iter_errors(
                yaml.safe_load(example.read_text()))]
            self.assertEqual(wrong, [], example)
        found = {error.json_path for error in validator.iter_errors(yaml.safe_load(BAD))}
        self.assertIn("$", found, "listenrs")
        self.assertTrue(any("listeners.api" in path for path in found), found)


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from references(item)


class UsageTest(CommandLineTest):
    def test_wrong_use_is_status_2(self):
        path = self.file("version: 1\nlisteners: { public: 127.0.0.1:0 }\nroutes: [{ respond: {} }]\n")
        for arguments in ((), ("bogus",), ("run",), ("check",), ("check", "-c"),
                          ("run", "-c", path, "--workers", "0"),
                          ("run", "-c", path, "--workers", "many"),
                          ("check", "-c", path, "--bogus"), ("explain", "-c", path),
                          ("explain", "-c", path, "GET")):
            told = banyan(*arguments)
            self.assertEqual(told.returncode, 2, arguments)
            self.assertEqual(told.stdout, "")
            self.assertIn("--help", told.stderr)

    def test_help_and_version(self):
        told = banyan("--help")
        self.assertEqual(told.returncode, 0)
        for command in ("run", "check", "explain", "schema", "manual", "demo"):
            self.assertRegex(told.stdout, rf"(?m)^  {command} ")
        told = banyan("--version")
        self.assertEqual(told.returncode, 0)
        self.assertRegex(told.stdout, r"^banyan \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
