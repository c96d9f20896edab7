// What the parties of a swarm run share: dice, and the ledger of all requests. Each request has a
// token of its own, which is in its path, in a header, and in every byte of its content and of its
// answer's: whoever gets bytes of another request sees it. Owner: the run. Thread: one.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/chunked.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/record.h"
#include "task/time.h"

namespace banyan::swarm {

using namespace std::chrono_literals;

// splitmix64 (Steele, Lea and Flood, 2014). Each party has dice of its own.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t n) { return next() % n; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool chance(unsigned percent) { return below(100) < percent; }
  Duration up_to(Duration most) { return Duration(below(static_cast<uint64_t>(most.count()) + 1)); }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return *(all.begin() + below(all.size()));
  }
  // Mostly small, sometimes large.
  size_t size() { return chance(15) ? below(100'000) : chance(20) ? 0 : below(300); }
  Dice split() { return Dice(next()); }

 private:
  uint64_t state_;
};

// The content of a message of this token; `mark` tells requests from answers.
inline std::string content_of(std::string_view token, char mark, size_t size) {
  const std::string piece = std::string(token) + mark;
  std::string out;
  while (out.size() < size) out += piece;
  out.resize(size);
  return out;
}
constexpr char of_request = '?', of_answer = '!';

struct Asked {
  std::string method;
  size_t content = 0;   // bytes
  size_t seen = 0;      // by endpoints
  size_t finished = 0;  // times that the gateway had a last word on it
  size_t attempts = 0;  // by the gateway's account
};

class Ledger {
 public:
  std::string add(std::string method, size_t content) {
    std::string token = "t" + std::to_string(all_.size() + 1);
    all_[token] = {.method = std::move(method), .content = content};
    return token;
  }
  // Null: nobody asked this.
  Asked* find(std::string_view token) {
    const auto found = all_.find(token);
    return found != all_.end() ? &found->second : nullptr;
  }
  const std::map<std::string, Asked, std::less<>>& all() const { return all_; }

 private:
  std::map<std::string, Asked, std::less<>> all_;
};

// Takes a content off the bytes that come, and compares it with what it must be (nullopt:
// anything).
class ContentCheck {
 public:
  ContentCheck(Framing framing, std::optional<std::string> wanted, Side side)
      : framing_(framing), wanted_(std::move(wanted)), decoder_(arena_, side) {
    using Kind = Framing::Kind;
    done_ = framing.kind == Kind::none || (framing.kind == Kind::length && framing.length == 0);
  }
  // False when it is not what it must be.
  bool take(std::string& bytes) {
    while (!done_ && !bytes.empty()) {
      if (framing_.kind != Framing::Kind::chunked) {
        const size_t most =
            framing_.kind == Framing::Kind::length ? framing_.length - size_ : bytes.size();
        const size_t n = std::min(most, bytes.size());
        if (!compare(std::string_view(bytes).substr(0, n))) return false;
        bytes.erase(0, n);
        done_ = framing_.kind == Framing::Kind::length && size_ == framing_.length;
        continue;
      }
      const auto step = decoder_.step(bytes);
      if (!step || !compare(step->data)) return false;
      bytes.erase(0, step->consumed);
      done_ = step->done;
    }
    return true;
  }
  bool done() const { return done_; }
  size_t size() const { return size_; }
  bool whole() const { return !wanted_ || size_ == wanted_->size(); }

 private:
  bool compare(std::string_view piece) {
    const size_t at = std::exchange(size_, size_ + piece.size());
    if (!wanted_) return true;
    return at <= wanted_->size() && std::string_view(*wanted_).substr(at).starts_with(piece);
  }
  const Framing framing_;
  const std::optional<std::string> wanted_;
  Arena arena_;
  ChunkDecoder decoder_;
  size_t size_ = 0;
  bool done_;
};

inline std::string chunked(Dice& dice, std::string_view content) {
  std::string out;
  while (!content.empty()) {
    const size_t n = std::min<size_t>(content.size(), dice.between(1, 1 + content.size()));
    char size[20];
    out += std::string(write_chunk_head(size, n)) + std::string(content.substr(0, n)) + "\r\n";
    content.remove_prefix(n);
  }
  return out + "0\r\n\r\n";
}

}  // namespace banyan::swarm
