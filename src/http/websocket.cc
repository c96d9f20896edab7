#include "http/websocket.h"

#include <openssl/evp.h>

#include <array>
#include <string>

namespace banyan {

namespace {

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

}  // namespace

std::string_view websocket_key(Loop& loop, Arena& arena) {
  const std::array<uint64_t, 2> random = {loop.random(), loop.random()};
  return arena.copy(base64({reinterpret_cast<const char*>(random.data()), sizeof random}));
}

std::string_view websocket_accept(std::string_view key, Arena& arena) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    return {};
  return arena.copy(base64({reinterpret_cast<const char*>(digest.data()), size}));
}

bool websocket_accepted(std::string_view key, Headers& answer) {
  constexpr std::string_view accept = "sec-websocket-accept";
  const bool same = answer.get(accept) == websocket_accept(key, answer.arena());
  answer.remove(accept);
  return same;
}

}  // namespace banyan
