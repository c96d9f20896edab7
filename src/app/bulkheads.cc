#include "app/bulkheads.h"

#include <fmt/format.h>

#include "base/text.h"
#include "patterns/bulkhead/bulkhead_filter.h"

namespace banyan {

namespace {

// Services, routes and groups may have the same names.
std::string name_of(BulkheadOf of, std::string_view name) {
  static constexpr std::string_view words[] = {"service ", "route ", "group "};
  return std::string(words[static_cast<size_t>(of)]).append(name);
}

std::string compartment_of(BulkheadOf of, std::string_view name, const BulkheadUse& use) {
  return use.group.empty() ? name_of(of, name) : name_of(BulkheadOf::group, use.group);
}

std::string limit_text(const BulkheadSettings& s) {
  const bool adaptive = s.adaptive && s.adaptive->on;
  std::string out = fmt::format("{}{} at once", adaptive ? "at most " : "", s.concurrency);
  if (s.queue != 0) out += fmt::format(", {} more wait {}", s.queue, to_text(s.wait));
  if (!s.share_by.empty()) out += ", shared by " + s.share_by;
  return out;
}

std::string why_of(BulkheadOf of, const BulkheadUse& use, const BulkheadSettings& settings) {
  const std::string whose =
      use.group.empty() ? std::string() : fmt::format("with all of '{}': ", use.group);
  const std::string_view place =
      of == BulkheadOf::route
          ? "above the service: who finds no room here takes none there"
          : "below the deadline, which bounds the wait; above what sends again: a call has one "
            "place, however often it is tried";
  return fmt::format("{} ({}{})", place, whose, limit_text(settings));
}

void set_one(const std::string& name, const BulkheadSettings& settings, Compartments& shared,
             Loop& loop) {
  shared.set_limits(name, limits_of(settings), loop);
}

struct Told {
  std::string_view of, name;
  Compartment::Status status;
  uint32_t retry_after_seconds;
};

template <class F>
void for_each(const Compartments& shared, F f) {
  for (const auto& [name, compartment] : shared.all()) {
    const std::string_view text = name;
    const size_t space = text.find(' ');
    f(Told{text.substr(0, space), text.substr(space + 1), compartment->status(),
           compartment->retry_after_seconds()});
  }
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

Layer bulkhead_layer(BulkheadOf of, std::string_view name, const BulkheadUse& use,
                     const BulkheadGroups& groups, Compartments* shared) {
  const BulkheadSettings& settings = settings_of(use, groups);
  return {.role = "bulkhead",
          .why = why_of(of, use, settings),
          .wrap = [compartment = compartment_of(of, name, use), settings, shared](ServicePtr next) {
            return std::make_shared<BulkheadFilter>(
                std::move(next), shared->of(compartment, limits_of(settings)), rules_of(settings));
          }};
}

void set_bulkheads(const Model& model, Compartments& shared, Loop& loop) {
  const Settings& settings = model.settings;
  for (const auto& [name, place, service] : settings.services)
    if (service.bulkhead && service.bulkhead->group.empty())
      set_one(name_of(BulkheadOf::service, name), service.bulkhead->own, shared, loop);
  for (size_t i = 0; i < settings.routes.size(); ++i)
    if (const auto& use = settings.routes[i].bulkhead; use && use->group.empty())
      set_one(name_of(BulkheadOf::route, model.matches[i].name), use->own, shared, loop);
  for (const auto& [name, place, group] : settings.bulkheads)
    set_one(name_of(BulkheadOf::group, name), group, shared, loop);
}

std::string bulkheads_json(const Compartments& shared) {
  std::string out = "[";
  for_each(shared, [&](const Told& told) {
    const Compartment::Status& s = told.status;
    out += fmt::format(R"({}{{"of": "{}", "name": ")", out.size() == 1 ? "\n  " : ",\n  ", told.of);
    append_json_escaped(out, told.name);
    out += fmt::format(
        R"(", "limit": {}, "in_flight": {}, "queued": {}, "bytes": {}, "admitted": {}, )"
        R"("waited": {}, "waited_s": {:.3f}, )"
        R"("refused": {{"full": {}, "late": {}, "waited": {}}}, "retry_after_s": {}}})",
        s.limit, s.in_flight, s.queued, s.bytes, s.admitted, s.waited, seconds(s.waited_for),
        s.refused_full, s.refused_late, s.refused_waited, told.retry_after_seconds);
  });
  return out + "\n]\n";
}

void write_bulkheads(Exposition& out, const Compartments& shared) {
  using Kind = Exposition::Kind;
  const auto family = [&](Kind kind, std::string_view name, std::string_view help, auto value) {
    out.family(kind, name, help);
    for_each(shared, [&](const Told& told) {
      out.sample({{"of", told.of}, {"name", told.name}}, value(told.status));
    });
  };
  using S = const Compartment::Status&;
  family(Kind::gauge, "banyan_bulkhead_limit", "Calls that may be in the compartment at once.",
         [](S s) { return uint64_t{s.limit}; });
  family(Kind::gauge, "banyan_bulkhead_in_flight", "Calls that are in it.",
         [](S s) { return uint64_t{s.in_flight}; });
  family(Kind::gauge, "banyan_bulkhead_queued", "Calls that wait for a place in it.",
         [](S s) { return uint64_t{s.queued}; });
  family(Kind::counter, "banyan_bulkhead_admitted_total", "Calls that got a place.",
         [](S s) { return s.admitted; });
  family(Kind::counter, "banyan_bulkhead_waited_total", "Of these, those that waited for it.",
         [](S s) { return s.waited; });
  family(Kind::counter, "banyan_bulkhead_waited_seconds_total", "How long they waited, in all.",
         [](S s) { return std::chrono::nanoseconds(s.waited_for); });
  out.family(Kind::counter, "banyan_bulkhead_refused_total", "Calls that got no place, by why.");
  for_each(shared, [&](const Told& told) {
    const auto sample = [&](std::string_view reason, uint64_t n) {
      out.sample({{"of", told.of}, {"name", told.name}, {"reason", reason}}, n);
    };
    sample("full", told.status.refused_full);
    sample("late", told.status.refused_late);
    sample("waited", told.status.refused_waited);
  });
}

}  // namespace banyan
