#include "base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace banyan {

namespace {

constexpr std::array<uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

uint8_t mask_of(uint8_t bits, size_t byte) {
  const int left = std::clamp(static_cast<int>(bits) - static_cast<int>(byte) * 8, 0, 8);
  return static_cast<uint8_t>(0xff00 >> left);
}

}  // namespace

std::optional<Ip> parse_ip_bytes(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string zero_ended(text);
  Ip ip{};
  if (inet_pton(AF_INET6, zero_ended.c_str(), ip.data()) == 1) return ip;
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), ip.begin());
  if (inet_pton(AF_INET, zero_ended.c_str(), ip.data() + 12) == 1) return ip;
  return std::nullopt;
}

bool is_v4(const Ip& ip) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), ip.begin());
}

bool Cidr::contains(const Ip& ip) const {
  const size_t whole = bits / 8;
  if (std::memcmp(ip.data(), network.data(), whole) != 0) return false;
  return bits % 8 == 0 || ((ip[whole] ^ network[whole]) & mask_of(bits, whole)) == 0;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const size_t slash = text.find('/');
  const auto ip = parse_ip_bytes(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const bool v4 = is_v4(*ip) && text.find(':') == std::string_view::npos;
  const uint8_t most = v4 ? 32 : 128;
  uint8_t bits = most;
  if (slash != std::string_view::npos) {
    const auto given = parse_u64(text.substr(slash + 1));
    if (!given || *given > most) return std::nullopt;
    bits = static_cast<uint8_t>(*given);
  }
  Cidr cidr{*ip, static_cast<uint8_t>(v4 ? bits + 96 : bits)};
  for (size_t i = 0; i < ip->size(); ++i)
    if (((*ip)[i] & ~mask_of(cidr.bits, i)) != 0) return std::nullopt;
  return cidr;
}

std::string to_string(const Cidr& cidr) {
  char text[INET6_ADDRSTRLEN];
  const bool v4 = is_v4(cidr.network) && cidr.bits >= 96;
  inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? cidr.network.data() + 12 : cidr.network.data(), text,
            sizeof text);
  return std::string(text) + "/" + std::to_string(v4 ? cidr.bits - 96 : cidr.bits);
}

}  // namespace banyan
