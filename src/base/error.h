// Errors as values: what went wrong, whose fault it is, and whether the call may be sent again.
// Owner: none, these are plain values. Thread: any.
// `what` is always a string literal: an Error owns nothing and costs 16 bytes.
// Exceptions are for start-up only; the data plane never throws (docs/architecture.md, decision 2).
// TRY is a statement expression (GCC and Clang): the value, or co_return / return of the error.
#pragma once
#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>

namespace banyan {

enum class Code : uint8_t {
  cancelled,    // the work was called off: the client left, or the process is stopping
  timeout,      // a limit of time passed
  overloaded,   // a bound of ours was reached: queue, permits, memory
  unavailable,  // no endpoint could be reached; nothing was sent
  reset,        // the connection ended in the middle
  protocol,     // the peer broke the rules of its protocol
  too_large,    // a limit of size was passed
  bug,          // ours: an invariant did not hold
};

// Whose fault: the sender of the request, the service behind us, or Banyan itself.
enum class Side : uint8_t { client, upstream, self };

struct Error {
  Code code = Code::bug;
  Side side = Side::self;
  bool retryable = false;  // true only when nothing of the call can have been processed
  uint16_t status =
      0;  // exact HTTP status where the protocol names one; 0: service/respond decides
  const char* what = "";  // a literal
  friend bool operator==(const Error& a, const Error& b) {
    return a.code == b.code && a.side == b.side && a.retryable == b.retryable &&
           a.status == b.status && std::string_view(a.what) == b.what;
  }
};
static_assert(sizeof(Error) == 16);

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Error error) { return std::unexpected(error); }
inline std::unexpected<Error> fail(Code code, Side side, const char* what, bool retryable = false) {
  return std::unexpected(Error{code, side, retryable, 0, what});
}

std::string_view name(Code code);  // "timeout"
std::string_view name(Side side);  // "upstream"

}  // namespace banyan

#define BANYAN_TRY_(leave, ...)                              \
  ({                                                         \
    auto&& banyan_try_ = (__VA_ARGS__);                      \
    if (!banyan_try_) [[unlikely]]                           \
      leave std::unexpected(std::move(banyan_try_).error()); \
    *std::move(banyan_try_);                                 \
  })
// In a coroutine: `auto n = TRY(co_await stream.read(buffer));`
#define TRY(...) BANYAN_TRY_(co_return, __VA_ARGS__)
// In a plain function: `auto n = TRY_RETURN(parse(text));`
#define TRY_RETURN(...) BANYAN_TRY_(return, __VA_ARGS__)
