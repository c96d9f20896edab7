// AbsentBody: the content of an answer to HEAD, or of 304: only its length is told. Owner: the
// Response. Thread: its loop's.
#pragma once
#include "http/body.h"

namespace banyan {

class AbsentBody final : public Body {
 public:
  explicit AbsentBody(uint64_t length_bytes) : length_(length_bytes) {}
  Task<Result<Bytes>> read() override { co_return Bytes{}; }
  bool ended() const override { return true; }
  std::optional<uint64_t> length() const override { return length_; }

 private:
  uint64_t length_;
};

}  // namespace banyan
