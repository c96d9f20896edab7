#include "http/linger.h"

#include "io/buffer.h"

namespace banyan {

Task<> linger(Stream& stream, Time until) {
  constexpr size_t linger_bytes = 256 * 1024;
  stream.shutdown_write();
  Buffer dropped;
  for (size_t bytes = 0; bytes < linger_bytes;) {
    auto n = co_await stream.read(dropped.space(), until);
    if (!n || *n == 0) break;
    bytes += *n;
  }
}

}  // namespace banyan
