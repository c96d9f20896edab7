#include "io/dns_answer.h"

#include <ares.h>

#include <algorithm>
#include <cstring>

namespace banyan {

namespace {

constexpr uint16_t class_internet = 1;
constexpr uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::unexpected<Error> malformed() {
  return fail(Code::unavailable, Side::upstream, "the name server's answer is malformed", true);
}

// Walks through a message; every step says whether it was inside.
class Walk {
 public:
  explicit Walk(std::span<const unsigned char> message) : message_(message) {}

  bool skip(size_t n) {
    if (n > message_.size() - at_) return false;
    at_ += n;
    return true;
  }
  bool number(uint16_t& out) {
    if (message_.size() - at_ < 2) return false;
    out = static_cast<uint16_t>(message_[at_] << 8 | message_[at_ + 1]);
    at_ += 2;
    return true;
  }
  bool number(uint32_t& out) {
    uint16_t high = 0, low = 0;
    if (!number(high) || !number(low)) return false;
    out = uint32_t{high} << 16 | low;
    return true;
  }
  bool bytes(void* to, size_t n) {
    if (n > message_.size() - at_) return false;
    std::memcpy(to, message_.data() + at_, n);
    return skip(n);
  }
  // c-ares follows the pointers of compressed names, and knows when they run in a circle.
  bool name(std::string& out) {
    if (at_ >= message_.size()) return false;
    char* text = nullptr;
    long length = 0;
    const int status = ares_expand_name(message_.data() + at_, message_.data(),
                                        static_cast<int>(message_.size()), &text, &length);
    if (status != ARES_SUCCESS) return false;
    out = text;
    ares_free_string(text);
    return skip(static_cast<size_t>(length));
  }
  size_t at() const { return at_; }

 private:
  std::span<const unsigned char> message_;
  size_t at_ = 0;
};

struct Record {
  uint16_t type = 0;
  uint16_t klass = 0;
  uint32_t ttl = 0;
  uint16_t length = 0;
};

bool read_address(Walk& walk, const Record& record, DnsAnswer& out) {
  Address address;
  const bool v4 = record.type == static_cast<uint16_t>(DnsType::a);
  if (record.length != (v4 ? 4 : 16)) return false;
  address.family = v4 ? Address::Family::ipv4 : Address::Family::ipv6;
  if (v4) std::memcpy(address.ip.data(), mapped_prefix, sizeof mapped_prefix);
  if (!walk.bytes(address.ip.data() + (v4 ? 12 : 0), record.length)) return false;
  out.addresses.push_back(address);
  return true;
}

bool read_target(Walk& walk, DnsAnswer& out) {
  DnsAnswer::Target& target = out.targets.emplace_back();
  return walk.number(target.priority) && walk.number(target.weight) && walk.number(target.port) &&
         walk.name(target.host);
}

bool read_record(Walk& walk, DnsType asked, DnsAnswer& out) {
  std::string owner;
  Record record;
  if (!walk.name(owner) || !walk.number(record.type) || !walk.number(record.klass) ||
      !walk.number(record.ttl) || !walk.number(record.length))
    return false;
  const bool wanted = record.klass == class_internet && record.type == static_cast<uint16_t>(asked);
  const bool alias = record.type == static_cast<uint16_t>(DnsType::cname);
  // The highest bit set means 0 (RFC 2181, section 8).
  const uint32_t seconds = record.ttl >> 31 != 0 ? 0 : record.ttl;
  if (wanted || alias) out.ttl = std::min<Duration>(out.ttl, std::chrono::seconds(seconds));
  if (!wanted) return walk.skip(record.length);
  const size_t end = walk.at() + record.length;
  const bool read =
      asked == DnsType::srv ? read_target(walk, out) : read_address(walk, record, out);
  return read && walk.at() == end;
}

}  // namespace

Result<DnsAnswer> read_dns_answer(std::span<const unsigned char> message, DnsType asked) {
  Walk walk(message);
  uint16_t flags = 0, questions = 0, answers = 0;
  if (!walk.skip(2) || !walk.number(flags) || !walk.number(questions) || !walk.number(answers) ||
      !walk.skip(4))
    return malformed();
  for (std::string name; questions > 0; --questions)
    if (!walk.name(name) || !walk.skip(4)) return malformed();
  DnsAnswer out;
  for (; answers > 0; --answers)
    if (!read_record(walk, asked, out)) return malformed();
  return out;
}

}  // namespace banyan
