// DNS messages for tests, byte by byte: names, records, answers. Independent of the code under
// test. Owner: none, these are functions. Thread: any. Source: RFC 1035, section 4.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/address.h"
#include "io/dns_answer.h"

namespace banyan::dns {

inline std::string u16(unsigned n) {
  return {static_cast<char>(n >> 8 & 0xff), static_cast<char>(n & 0xff)};
}
inline std::string u32(uint32_t n) { return u16(n >> 16) + u16(n & 0xffff); }

// Labels without compression.
inline std::string name(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    text.remove_prefix(std::min(label.size() + 1, text.size()));
  }
  return out + '\0';
}

inline std::string record(std::string_view owner, DnsType type, uint32_t ttl,
                          const std::string& data) {
  return name(owner) + u16(static_cast<unsigned>(type)) + u16(1) + u32(ttl) +
         u16(static_cast<unsigned>(data.size())) + data;
}
// A or AAAA, as the address is.
inline std::string address(std::string_view owner, std::string_view ip, uint32_t ttl) {
  const Address a = *parse_ip(ip, 0);
  const std::string bytes(reinterpret_cast<const char*>(a.ip.data()), a.ip.size());
  if (a.family == Address::Family::ipv4) return record(owner, DnsType::a, ttl, bytes.substr(12));
  return record(owner, DnsType::aaaa, ttl, bytes);
}
inline std::string alias(std::string_view owner, std::string_view to, uint32_t ttl) {
  return record(owner, DnsType::cname, ttl, name(to));
}
inline std::string service(std::string_view owner, unsigned priority, unsigned weight,
                           unsigned port, std::string_view target, uint32_t ttl) {
  return record(owner, DnsType::srv, ttl, u16(priority) + u16(weight) + u16(port) + name(target));
}

inline std::string question(std::string_view of, DnsType type) {
  return name(of) + u16(static_cast<unsigned>(type)) + u16(1);
}
// A whole message: the answer to one question. `flags`: 0x8180 is a good answer, the last four
// bits are the code, 0x0200 says that it was cut.
inline std::string message(unsigned id, unsigned flags, const std::string& asked,
                           const std::vector<std::string>& answers) {
  std::string out = u16(id) + u16(flags) + u16(asked.empty() ? 0 : 1) +
                    u16(static_cast<unsigned>(answers.size())) + u32(0) + asked;
  for (const auto& a : answers) out += a;
  return out;
}

}  // namespace banyan::dns
