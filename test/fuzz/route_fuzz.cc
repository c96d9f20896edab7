// Routing. By the first byte, one of two:
//   tables and requests drawn from few words by the other bytes, against the reference that looks
//   at every route;
//   texts of a user (host, path, rewrite, redirect) and a target of a client, a line each: what is
//   accepted has one form and matches its own sample, and nothing a client sends makes another
//   path, another host or another field of what is filled in.
#include "fuzz/fuzz.h"
#include "http/grammar.h"
#include "patterns/routing/answer_text.h"
#include "patterns/routing/random_routes.h"
#include "patterns/routing/redirect.h"
#include "patterns/routing/reference.h"

namespace banyan {
namespace {

struct Bytewise {
  fuzz::Input& input;
  size_t operator()(size_t below) { return input.byte() % below; }
};

void compare_with_reference(fuzz::Input& input) {
  Bytewise pick{input};
  RandomRoutes random(pick);
  const auto routes = random.routes(12);
  Problems problems;
  const auto table = RouteTable::build(routes, problems);
  const Reference reference(routes);
  CHECK((table == nullptr) == reference.has_equals());
  if (table == nullptr) return;
  for (int n = 0; n < 8; ++n) {
    const auto asked = random.request();
    if (asked->refused()) continue;
    CHECK(answer_text(*table, asked->request()) == reference.find(asked->request()));
  }
}

void check_host(const std::string& text) {
  const auto pattern = parse_host_pattern(text);
  if (!pattern) return;
  const auto again = parse_host_pattern(to_string(*pattern));
  CHECK(again && *again == *pattern);
  const std::string host = pattern->wildcard ? "x" + pattern->name : pattern->name;
  Arena arena;
  CHECK(lower_host(host, arena) == host && pattern->matches(host));
  HostIndex index;
  const uint32_t site = index.add(*pattern);
  CHECK(index.search(host, [&](uint32_t found) { return found == site; }));
}

// A path that the pattern is for: "x" for each capture.
std::string sample(const PathPattern& pattern) {
  std::string out;
  for (const Segment& s : pattern.segments)
    out += "/" + s.prefix + (s.kind == Segment::Kind::literal ? "" : "x") + s.suffix;
  return out;
}

void check_pattern(const std::string& text) {
  const auto pattern = parse_path_pattern(text);
  if (!pattern) return;
  const std::string path = sample(*pattern);
  RouteSettings route{.name = "it", .match = {.path = text}};
  Problems problems;
  const auto table = RouteTable::build({&route, 1}, problems);
  CHECK(table != nullptr);
  Asked asked("GET", "h", path);
  CHECK(!asked.refused() && asked.request().target.path == path);
  const auto found = table->find(asked.request());
  CHECK(found && found.captures.size() == pattern->names.size());
  for (const Capture& c : found.captures) CHECK(c.value == "x");
}

// What the next hop would make of it is what was meant.
void check_forward(const Target& target, bool query_was_replaced) {
  CHECK(target.path.starts_with('/') && !target.path.starts_with("//"));
  Arena arena;
  if (query_was_replaced) CHECK(is_target(target.forward));
  const auto again = parse_target(Method::get, target.forward, {.merge_slashes = false}, arena);
  CHECK(again && again->path == target.path && again->query == target.query);
}

void check_filled_in(const std::string& path, const std::string& rewrite, const std::string& to,
                     Asked& asked, size_t parameters) {
  RouteSettings route{.name = "it", .match = {.path = path}, .rewrite = rewrite};
  Problems problems;
  const auto table = RouteTable::build({&route, 1}, problems);
  if (table == nullptr) return;
  Request& request = asked.request();
  const auto found = table->find(request);
  if (!found) return;
  request.captures = found.captures;
  if (const auto& rule = table->route(0).rewrite) {
    const auto target = rule->apply(request);
    if (target) check_forward(*target, rewrite.find('?') != std::string::npos);
    if (target && rewrite.find('?') != std::string::npos)
      CHECK(static_cast<size_t>(std::count(target->query.begin(), target->query.end(), '&')) ==
            parameters);
  }
  const auto rule = RedirectRule::compile({.to = to}, capture_names(route.match), {}, problems);
  if (!rule) return;
  const auto location = rule->location(request);
  if (!location) return;
  CHECK(is_target(*location) && !location->starts_with("//"));
  const std::string origin =
      to.substr(0, to.find_first_of("/?#", std::min(to.find("//"), to.size() - 2) + 2));
  if (!to.starts_with('/')) CHECK(location->starts_with(origin));
}

void check_texts(fuzz::Input& input) {
  const std::string host(input.until('\n')), path(input.until('\n')), rewrite(input.until('\n')),
      to(input.until('\n')), target(input.rest());
  check_host(host);
  check_pattern(path);
  if (!is_target(target)) return;  // the head's parser would not let it through
  const size_t query = std::min(rewrite.find('?'), rewrite.size());
  const auto parameters = static_cast<size_t>(
      std::count(rewrite.begin() + static_cast<ptrdiff_t>(query), rewrite.end(), '&'));
  for (bool merge : {true, false}) {
    Asked asked("GET", host, target, {.merge_slashes = merge});
    if (!asked.refused()) check_filled_in(path, rewrite, to, asked, parameters);
  }
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  banyan::fuzz::Input input(data, size);
  if (input.byte() == 'm')
    banyan::compare_with_reference(input);
  else
    banyan::check_texts(input);
  return 0;
}
