// banyan: the command line. Exit status: 0 done, 1 found wrong, 2 used wrong.
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/demo/run.h"
#include "app/explain.h"
#include "app/manual.h"
#include "app/process.h"
#include "app/version.h"
#include "config/manual.h"

namespace banyan {

namespace {

constexpr int found_wrong = 1, used_wrong = 2;

// Whoever started us may have closed them; then the first socket would be what we write our log to.
void keep_standard_streams() {
  int fd = 0;
  do fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

void log_to_stderr() {
  auto log = spdlog::stderr_color_mt("banyan");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_default_logger(log);
}

struct Arguments {
  RunOptions run;
  ExplainQuery explain;
  bool json = false;
};

int run(const RunOptions& options) {
  log_to_stderr();
  Loaded loaded = load_model(options.config, options.sources);
  fmt::print(stderr, "{}", loaded.problems.text());
  if (loaded.model == nullptr) return found_wrong;
  loaded.problems = {};
  return Process(options, std::move(loaded)).run();
}

int check(const Arguments& args) {
  const Loaded loaded = load_model(args.run.config, args.run.sources);
  if (args.json) {
    fmt::print("{}", loaded.problems.json());
  } else if (loaded.model != nullptr) {
    fmt::print("{}{}: good: {} listeners, {} services, {} routes\n", loaded.problems.text(),
               args.run.config, loaded.model->settings.listeners.size(),
               loaded.model->settings.services.size(), loaded.model->settings.routes.size());
  } else {
    const size_t count = loaded.problems.errors();
    fmt::print("{}{}: {} {}\n", loaded.problems.text(), args.run.config, count,
               count == 1 ? "problem" : "problems");
  }
  return loaded.model != nullptr ? 0 : found_wrong;
}

int explain_request(const Arguments& args) {
  const Loaded loaded = load_model(args.run.config, args.run.sources);
  if (loaded.model == nullptr) {
    fmt::print(stderr, "{}", loaded.problems.text());
    return found_wrong;
  }
  const auto told = explain(*loaded.model, args.explain);
  if (!told) {
    fmt::print(stderr, "{}\n", told.error());
    return found_wrong;
  }
  fmt::print("{}", *told);
  return 0;
}

int show_manual() {
  fmt::print("{}", manual());
  return 0;
}

int show_schema() {
  fmt::print("{}", json_schema(fields_of<Settings>().note(), "Banyan configuration"));
  return 0;
}

void add_config(CLI::App& command, Arguments& args) {
  command.add_option("-c,--config", args.run.config, "The configuration file")
      ->required()
      ->type_name("FILE");
}

void add_run_options(CLI::App& command, Arguments& args) {
  command
      .add_option_function<unsigned>(
          "--workers", [&](unsigned n) { args.run.workers = n; },
          "Threads that serve (default: the file's, else one a core)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  command
      .add_option_function<std::string>(
          "--engine",
          [&](const std::string& word) {
            const auto words = words_of(EngineChoice{});
            args.run.engine = static_cast<EngineChoice>(
                std::find(words.begin(), words.end(), word) - words.begin());
          },
          "How the kernel is asked (default: the file's, else auto)")
      ->check(CLI::IsMember({"auto", "epoll", "io_uring"}))
      ->type_name("auto|epoll|io_uring");
}

int command_line(int argc, char** argv) {
  CLI::App app{"Banyan: the gateway, the ambassador and the sidecar, in one binary.", "banyan"};
  app.set_version_flag("--version", fmt::format("banyan {}", version));
  app.require_subcommand(1);
  Arguments args;

  auto* run_command = app.add_subcommand("run", "Serve, with a configuration file");
  add_config(*run_command, args);
  add_run_options(*run_command, args);
  run_command->add_flag("--watch", args.run.watch, "Reload when a file changes");

  auto* check_command = app.add_subcommand("check", "Tell everything that is wrong with a file");
  add_config(*check_command, args);
  check_command->add_flag("--json", args.json, "As JSON");

  auto* explain_command = app.add_subcommand("explain", "Which route wins for a request, and why");
  add_config(*explain_command, args);
  explain_command->add_option("method", args.explain.method, "GET, POST ...")->required();
  explain_command->add_option("url", args.explain.url, "https://shop.example/x?y=1, or /x")
      ->required();
  explain_command->add_option("-H,--header", args.explain.headers, "'name: value'; repeatable");
  explain_command->add_option("--client", args.explain.client, "The client's address");

  auto* schema_command = app.add_subcommand("schema", "Print the JSON Schema of the file");
  auto* manual_command = app.add_subcommand("manual", "Print the reference as Markdown");
  auto* demo_command = app.add_subcommand("demo", "A small shop and a gateway before it, to try");
  add_run_options(*demo_command, args);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : used_wrong;
  }
  if (run_command->parsed()) return run(args.run);
  if (check_command->parsed()) return check(args);
  if (explain_command->parsed()) return explain_request(args);
  if (schema_command->parsed()) return show_schema();
  if (manual_command->parsed()) return show_manual();
  if (demo_command->parsed()) {
    log_to_stderr();
    return run_demo(args.run);
  }
  return used_wrong;
}

}  // namespace

}  // namespace banyan

int main(int argc, char** argv) {
  banyan::keep_standard_streams();
  return banyan::command_line(argc, argv);
}
