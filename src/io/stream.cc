#include "io/stream.h"

#include "io/original_destination.h"

namespace banyan {

namespace {

std::unexpected<Error> ended(Code why, Side side) {
  return fail(
      why, side,
      why == Code::timeout ? "the peer was silent for too long" : "the exchange was called off");
}

}  // namespace

bool Read::start() { return stream.start(*this); }
void Read::abandon(Code why) { stream.cancel(*this, why); }
void Read::refuse(Code why) { result = ended(why, stream.side()); }
void Read::describe(std::string& out, int depth) const {
  describe_line(out, depth, only_wait() ? "wait for the peer to send" : "read");
}

bool Write::start() { return stream.start(*this); }
void Write::abandon(Code why) { stream.cancel(*this, why); }
void Write::refuse(Code why) { result = ended(why, stream.side()); }
void Write::describe(std::string& out, int depth) const { describe_line(out, depth, "write"); }

bool Write::advance(size_t n) {
  while (!pieces.empty()) {
    const size_t left = pieces.front().size() - offset;
    if (n < left) {
      offset += n;
      return false;
    }
    n -= left;
    offset = 0;
    pieces = pieces.subspan(1);
  }
  return true;
}

std::optional<Address> Stream::original_destination() const {
  if (descriptor() < 0) return std::nullopt;
  return original_destination_of(descriptor());
}

void PeerGone::attach(Cancel& scope) { stream.watch(&scope); }
void PeerGone::detach() { stream.watch(nullptr); }

}  // namespace banyan
