// Chunked contents: decoded the same at any split of the bytes; what we write of one decodes to the
// same content and trailers.
#include "fuzz/fuzz.h"
#include "http/chunked.h"
#include "http/h1_write.h"

namespace banyan {
namespace {

struct Decoded {
  bool failed = false, done = false;
  std::string content, trailers;
  size_t consumed = 0;  // meaningful when done
};

// In pieces of 1 .. `piece_max` bytes.
Decoded decode(std::string_view bytes, size_t piece_max) {
  Arena arena;
  ChunkDecoder decoder(arena, Side::client);
  Decoded out;
  for (size_t at = 0; at < bytes.size() && !out.done;) {
    const std::string_view piece = bytes.substr(at, 1 + at % piece_max);
    for (std::string_view left = piece; !left.empty() && !out.done;) {
      const auto step = decoder.step(left);
      if (!step) {
        out.failed = true;
        return out;
      }
      CHECK(step->consumed <= left.size() && (step->consumed != 0 || step->done));
      CHECK(step->data.empty() ||
            (step->data.data() >= left.data() &&
             step->data.data() + step->data.size() <= left.data() + left.size()));
      out.content += step->data;
      out.done = step->done;
      out.consumed += step->consumed;
      left.remove_prefix(step->consumed);
    }
    at += piece.size();
  }
  if (decoder.trailers() != nullptr)
    for (const Field& f : *decoder.trailers())
      out.trailers.append(f.name).append(1, '\0').append(f.value).append(1, '\0');
  return out;
}

std::string encode(std::string_view bytes, const Decoded& d) {
  Arena arena;
  ChunkDecoder decoder(arena, Side::client);
  for (std::string_view left = bytes; !left.empty();) {
    const auto step = decoder.step(left);
    CHECK(step);
    if (step->done) break;
    left.remove_prefix(step->consumed);
  }
  char size[20];
  std::string out;
  if (!d.content.empty())
    out = std::string(write_chunk_head(size, d.content.size())) + d.content + "\r\n";
  return out.append(write_last_chunk(arena, decoder.trailers()));
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace banyan;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = decode(bytes, SIZE_MAX);
  for (size_t piece : {1, 2, 7}) {
    const Decoded cut = decode(bytes, piece);
    CHECK(cut.failed == whole.failed && cut.done == whole.done);
    if (cut.failed) continue;
    CHECK(cut.content == whole.content && cut.trailers == whole.trailers);
    CHECK(!cut.done || cut.consumed == whole.consumed);
  }
  if (!whole.done) return 0;
  const Decoded again = decode(encode(bytes, whole), SIZE_MAX);
  CHECK(again.done && again.content == whole.content && again.trailers == whole.trailers);
  return 0;
}
