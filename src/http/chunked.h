// ChunkDecoder: takes a chunked content apart as it arrives, at any split of the bytes, without
// copying it. Owner: H1BodyReader. Thread: one. Lifetime: the arena outlives it; data is a view
// into the bytes given. Bounds: a size of 16 digits that fits 63 bits; 4 KiB of extensions a
// content (they are dropped); a trailer section of 8 KiB and 64 fields. Trailer fields that would
// change framing or routing are dropped (RFC 9110, section 6.5.1). Source: RFC 9112, section 7.1.
// Every deviation is an error, a bare LF included.
#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "http/headers.h"

namespace banyan {

class ChunkDecoder {
 public:
  ChunkDecoder(Arena& arena, Side side) : arena_(arena), side_(side) {}

  struct Step {
    size_t consumed = 0;  // bytes of the input that are done with
    Bytes data;           // content, a view into the input; empty: none in this step
    bool done = false;    // the final empty line was reached
  };
  // Goes as far as one piece of data, the end of the input, or the end of the content.
  Result<Step> step(Bytes in);
  // After the end; null when there are none.
  const Headers* trailers() const { return trailers_ ? &*trailers_ : nullptr; }

 private:
  enum class State : uint8_t {
    size_start,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer
  };

  Result<> take(char c);
  Result<> size_digit(char c);
  Result<> extension(char c);
  Result<> size_ended();
  Result<bool> trailer(char c);
  std::unexpected<Error> bad(const char* what) const;

  static constexpr size_t extensions_max = 4096;
  static constexpr size_t trailer_max = 8192;
  static constexpr uint16_t trailer_fields_max = 64;

  Arena& arena_;
  const Side side_;
  State state_ = State::size_start;
  uint64_t left_ = 0;  // of the current chunk
  uint8_t digits_ = 0;
  bool done_ = false;
  uint32_t extension_bytes_ = 0;
  std::string trailer_lines_;
  std::optional<Headers> trailers_;
};

// "1a\r\n" in `buffer`.
Bytes write_chunk_head(char (&buffer)[20], uint64_t size);

}  // namespace banyan
