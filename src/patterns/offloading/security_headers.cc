#include "patterns/offloading/security_headers.h"

#include "http/grammar.h"

namespace banyan {

namespace {

std::string value_fault(const std::string& value) {
  if (is_field_value(value) && trim(value) == value) return {};
  return "'" + printable(value) + "' is no value of a field";
}

void add_if_absent(Headers& answer, std::string_view name, std::string_view value) {
  if (!value.empty() && answer.find(name) == nullptr) answer.add(name, value);
}

}  // namespace

void declare(Fields<SecurityHeaderSettings>& f) {
  f.about("security_headers",
          "Fields that make browsers careful: X-Content-Type-Options: nosniff, and those below. "
          "What a service says itself stays.");
  f.field("enabled", &SecurityHeaderSettings::enabled, "`security_headers: true` has them all.");
  f.field("hsts", &SecurityHeaderSettings::hsts,
          "Strict-Transport-Security: for so long browsers use TLS alone. Said over TLS only. 0: "
          "not said.",
          between(Nanoseconds(0), std::chrono::hours(10 * 365 * 24)));
  f.field("frames", &SecurityHeaderSettings::frames,
          "X-Frame-Options: SAMEORIGIN or DENY; empty: not said.", check(value_fault));
  f.field("referrer", &SecurityHeaderSettings::referrer, "Referrer-Policy; empty: not said.",
          check(value_fault));
  f.shorthand("enabled");
}

SecurityHeaderEdit::SecurityHeaderEdit(const SecurityHeaderSettings& settings)
    : hsts_(settings.hsts == Nanoseconds(0)
                ? ""
                : "max-age=" +
                      std::to_string(
                          std::chrono::duration_cast<std::chrono::seconds>(settings.hsts).count())),
      frames_(settings.frames),
      referrer_(settings.referrer) {}

void SecurityHeaderEdit::edit(const Request& request, Headers& answer) const {
  add_if_absent(answer, "x-content-type-options", "nosniff");
  add_if_absent(answer, "x-frame-options", frames_);
  add_if_absent(answer, "referrer-policy", referrer_);
  if (request.secure) add_if_absent(answer, "strict-transport-security", hsts_);
}

}  // namespace banyan
