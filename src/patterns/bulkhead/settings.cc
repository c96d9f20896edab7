#include "patterns/bulkhead/settings.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view all_others = "default";
constexpr uint32_t share_most = 10'000;

std::optional<Priority> parse_priority(std::string_view word) {
  static constexpr std::array<std::string_view, priorities> words = {"high", "normal", "low"};
  const auto at = std::ranges::find(words, word);
  if (at == words.end()) return std::nullopt;
  return static_cast<Priority>(at - words.begin());
}

std::string share_by_fault(const std::string& text) {
  if (text.starts_with("claim:")) return "claims are not known yet; header:NAME, cookie:NAME or ip";
  const auto key = RequestKey::parse(text);
  if (!key) return "'" + printable(text) + "' is none of header:NAME, cookie:NAME, ip";
  if (key->kind() == RequestKey::Kind::path)
    return "a client chooses the path: it could have as many shares as it likes; header:NAME, "
           "cookie:NAME or ip";
  return {};
}

std::string shares_fault(const std::vector<Named<uint32_t>>& shares) {
  for (const auto& share : shares)
    if (share.value == 0 || share.value > share_most)
      return "the share of '" + printable(share.name) + "' is " + std::to_string(share.value) +
             "; allowed is 1 to " + std::to_string(share_most);
  return {};
}

std::string priority_fault(const std::string& text) {
  if (PriorityRule::parse(text)) return {};
  return "'" + printable(text) + "' is none of high, normal, low, header:NAME";
}

void verify_adaptive(const BulkheadSettings& s, const Node& node, const Reading& at) {
  if (!s.adaptive || !s.adaptive->on) return;
  const uint32_t most = s.adaptive->max.value_or(s.concurrency);
  if (most > s.concurrency)
    at.error(node.place,
             "adaptive.max is more than concurrency (" + std::to_string(s.concurrency) + ")");
  if (s.adaptive->min > most)
    at.error(node.place,
             "adaptive.min is more than the most there may be (" + std::to_string(most) + ")");
}

void verify_bulkhead(const BulkheadSettings& s, const Node& node, const Reading& at) {
  verify_adaptive(s, node, at);
  if (s.queue == 0 && node.find("wait") != nullptr)
    at.error(node.place, "wait without queue: nobody waits");
  if (s.share_by.empty() && !s.shares.empty())
    at.error(node.place, "shares without share_by: there is nothing to tell them apart by");
  if (s.share_by.empty() && node.find("lend") != nullptr)
    at.error(node.place, "lend without share_by: there is nobody to keep places for");
  if (s.queue == 0 && !s.share_by.empty())
    at.error(node.place, "share_by without queue: shares are kept among those that wait");
}

}  // namespace

void declare(Fields<AdaptiveSettings>& f) {
  f.about("adaptive",
          "The limit is found from how long answers take: it grows while they take what they take "
          "without load, and shrinks when they take longer.");
  f.field("on", &AdaptiveSettings::on, "`false`: `concurrency` is the limit.");
  f.field("min", &AdaptiveSettings::min, "It is never less.", between<uint32_t>(1, 1'000'000));
  f.field("max", &AdaptiveSettings::max,
          "It is never more, and begins there. Standard: `concurrency`.",
          between<uint32_t>(1, 1'000'000));
  f.shorthand("on");
}

void declare(Fields<BulkheadSettings>& f) {
  f.about("bulkhead",
          "How much of the house one service can fill: calls beyond the limit wait in a short "
          "queue, or get 503 with `Retry-After`. A call counts to the end of its answer.");
  f.field("concurrency", &BulkheadSettings::concurrency,
          "Calls at the same time, exactly, over all workers.", between<uint32_t>(1, 1'000'000));
  f.field("queue", &BulkheadSettings::queue, "So many more may wait.",
          between<uint32_t>(0, 1'000'000));
  f.field("wait", &BulkheadSettings::wait,
          "In the queue at most. What could not be done before its deadline does not wait at all.",
          between(1ms, 5min));
  f.field("bytes", &BulkheadSettings::bytes,
          "Of request content at the same time. A content that is longer, or of unknown length, "
          "counts as all of it.",
          between(kib(1), mib(1024 * 1024)));
  f.field("adaptive", &BulkheadSettings::adaptive,
          "`true`, or bounds: the limit is found from the service's latency.");
  f.field(
      "share_by", &BulkheadSettings::share_by,
      "What tells tenants apart: `header:NAME`, `cookie:NAME` or `ip`. Each has its share under "
      "load; shares that are idle are lent; a flood by one waits behind itself. A header or "
      "cookie must be one that clients cannot choose freely.",
      check(share_by_fault));
  f.field("shares", &BulkheadSettings::shares,
          "Weights by tenant, relative to each other; `default` for all that are not named. "
          "Standard: 1 each.",
          check(shares_fault));
  f.field(
      "lend", &BulkheadSettings::lend,
      "Of the places, what anybody may fill. The rest is kept for tenants that have less than "
      "that rest, who then find a place at once, whoever floods. `100%`: all of it is lent, and "
      "who comes back waits for the next place to come free.",
      between(Percent{1'00}, Percent{100'00}));
  f.field("priority", &BulkheadSettings::priority,
          "`high`, `normal`, `low`, or `header:NAME`, whose value is one of these (else normal). "
          "The higher goes first. A header must be one that clients cannot choose freely.",
          check(priority_fault));
  f.shorthand("concurrency");
  f.verify(verify_bulkhead);
}

bool Value<BulkheadUse>::read(const Node& node, BulkheadUse& out, const Reading& at) {
  out.place = node.place;
  const bool name = node.kind == Node::Kind::scalar && !node.text.empty() &&
                    !is_digit(node.text.front()) && node.text.front() != '-';
  return name ? Value<std::string>::read(node, out.group, at)
              : Value<BulkheadSettings>::read(node, out.own, at);
}

TypeNote Value<BulkheadUse>::note() {
  return {.kind = TypeNote::Kind::any_of,
          .name = "bulkhead, or the name of one under `bulkheads`",
          .inner = {Value<std::string>::note(), Value<BulkheadSettings>::note()}};
}

std::string group_fault(const BulkheadUse& use, const BulkheadGroups& groups) {
  if (use.group.empty()) return {};
  std::vector<std::string_view> known;
  for (const auto& group : groups) known.push_back(group.name);
  if (std::ranges::find(known, use.group) != known.end()) return {};
  return "there is no bulkhead '" + printable(use.group) + "'" + did_you_mean(use.group, known);
}

const BulkheadSettings& settings_of(const BulkheadUse& use, const BulkheadGroups& groups) {
  if (use.group.empty()) return use.own;
  const auto found = std::ranges::find(groups, use.group, &Named<BulkheadSettings>::name);
  CHECK(found != groups.end());
  return found->value;
}

std::optional<PriorityRule> PriorityRule::parse(std::string_view text) {
  PriorityRule rule;
  if (const auto fixed = parse_priority(text)) {
    rule.fixed_ = *fixed;
    return rule;
  }
  rule.header_ = RequestKey::parse(text);
  if (!rule.header_ || rule.header_->kind() != RequestKey::Kind::header) return std::nullopt;
  return rule;
}

Priority PriorityRule::of(const Request& request) const {
  return header_ ? parse_priority(header_->of(request)).value_or(fixed_) : fixed_;
}

CompartmentLimits limits_of(const BulkheadSettings& settings) {
  CompartmentLimits out{.concurrency = settings.concurrency,
                        .queue = settings.queue,
                        .wait = settings.wait,
                        .bytes = settings.bytes ? settings.bytes->bytes : 0,
                        .keyed = !settings.share_by.empty(),
                        .lend = settings.lend.basis_points};
  if (settings.adaptive && settings.adaptive->on)
    out.adaptive = GradientBounds{.least = settings.adaptive->min,
                                  .most = settings.adaptive->max.value_or(settings.concurrency)};
  for (const auto& share : settings.shares) {
    if (share.name == all_others)
      out.standard_share = share.value;
    else
      out.shares[share.name] = share.value;
  }
  return out;
}

std::optional<RequestKey> share_key_of(const BulkheadSettings& settings) {
  return settings.share_by.empty() ? std::nullopt : RequestKey::parse(settings.share_by);
}

}  // namespace banyan
