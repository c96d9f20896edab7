// Body: the content of a message as a stream that is pulled. Not reading is the backpressure:
// whoever produces the bytes then waits too, down to the peer's socket. Owner: a request's body
// belongs to its connection, an answer's to whoever holds the Response. Thread: its loop's.
// Lifetime: a view from ready() or read() is valid until the next call of either, or the body's end
// of life. What must last as long as an answer (a permit, a pooled connection) lives in its body.
#pragma once
#include <memory>
#include <optional>

#include "base/text.h"
#include "http/headers.h"
#include "task/task.h"

namespace banyan {

class Body : public Pooled {
 public:
  Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  virtual ~Body() = default;

  // The next piece; empty is the end. An error ends the body: there is nothing to read after it.
  virtual Task<Result<Bytes>> read() = 0;
  // A piece that is at hand without waiting; empty says nothing about the end.
  virtual Bytes ready() { return {}; }
  // True once it is known that nothing more will come.
  virtual bool ended() const = 0;
  // The length of the whole content in bytes, if known before its end.
  virtual std::optional<uint64_t> length() const = 0;
  // After the end, if there were any (RFC 9110, section 6.5). They live as long as the body.
  virtual const Headers* trailers() const { return nullptr; }
};
using BodyPtr = std::unique_ptr<Body>;

// A content that is in memory already.
class TextBody final : public Body {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  Task<Result<Bytes>> read() override { co_return ready(); }
  Bytes ready() override {
    given_ = true;
    return std::exchange(left_, {});
  }
  bool ended() const override { return given_ || text_.empty(); }
  std::optional<uint64_t> length() const override { return text_.size(); }

 private:
  const std::string text_;
  Bytes left_ = text_;
  bool given_ = false;
};

}  // namespace banyan
