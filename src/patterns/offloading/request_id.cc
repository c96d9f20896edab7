#include "patterns/offloading/request_id.h"

#include "http/grammar.h"
#include "patterns/offloading/forwarded.h"

namespace banyan {

namespace {

constexpr size_t id_max = 128;

bool is_id(std::string_view text) {
  return text.size() <= id_max && is_target(text) && text.find_first_of("\"\\") == text.npos;
}

}  // namespace

std::string_view make_uuid7(Loop& loop, Arena& arena) {
  const auto milliseconds = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(loop.wall().time_since_epoch())
          .count());
  const uint64_t high = milliseconds << 16 | 0x7000 | (loop.random() & 0x0fff);
  const uint64_t low = (loop.random() & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
  constexpr std::string_view digits = "0123456789abcdef";
  char* const text = arena.array<char>(36);
  char* to = text;
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) *to++ = '-';
    const uint64_t part = nibble < 16 ? high >> (60 - 4 * nibble) : low >> (124 - 4 * nibble);
    *to++ = digits[part & 15];
  }
  return {text, 36};
}

Task<Reply> RequestIdFilter::call(Request& request) {
  Headers& headers = request.headers;
  const bool keeps = headers.count(Name::x_request_id) == 1 &&
                     is_id(headers.get(Name::x_request_id)) && trusts(trust_, request.client);
  if (!keeps) headers.set(Name::x_request_id, make_uuid7(loop_, request.arena));
  return next->call(request);
}

void RequestIdEdit::edit(const Request& request, Headers& answer) const {
  if (const auto id = request.headers.get(Name::x_request_id); !id.empty())
    answer.set(Name::x_request_id, id);
}

}  // namespace banyan
