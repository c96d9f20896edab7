// Targets: bringing one into normal form twice changes nothing, a path never climbs above its root,
// and what is sent on is a target again.
#include "fuzz/fuzz.h"
#include "http/grammar.h"
#include "http/uri.h"

namespace banyan {
namespace {

void check_path(std::string_view path, const PathRules& rules) {
  CHECK(path.starts_with('/'));
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = path.substr(at + 1, end - at - 1);
    CHECK(segment != "." && segment != "..");
    CHECK(!rules.merge_slashes || !segment.empty() || end == path.size());
    at = end;
  }
  CHECK(path.find('\\') == std::string_view::npos);
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') continue;
    CHECK(i + 2 < path.size());
    const int value = hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]);
    CHECK(value >= 0x20 && value != 0x7f && !is(static_cast<char>(value), unreserved_char));
  }
}

void check(Method method, std::string_view raw, const PathRules& rules) {
  Arena arena;
  const auto target = parse_target(method, raw, rules, arena);
  if (!target) return;
  CHECK(is_target(target->forward));
  if (target->form == Target::Form::absolute || target->form == Target::Form::authority)
    CHECK(parse_authority(target->authority) && !lower_host(target->authority, arena).empty());
  if (target->form != Target::Form::origin && target->form != Target::Form::absolute) return;
  check_path(target->path, rules);
  const auto again = parse_target(method, target->forward, rules, arena);
  CHECK(again && again->form == Target::Form::origin);
  CHECK(again->path == target->path && again->query == target->query);
  CHECK(again->forward == target->forward && again->has_query == target->has_query);
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace banyan;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  // What the head's parser would not let through does not come this far.
  if (!is_target(raw)) return 0;
  for (Method method : {Method::get, Method::options, Method::connect})
    for (bool merge : {true, false})
      for (auto slash : {PathRules::EncodedSlash::keep, PathRules::EncodedSlash::refuse})
        check(method, raw, {.merge_slashes = merge, .encoded_slash = slash});
  return 0;
}
