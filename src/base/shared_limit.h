// SharedLimit: a count that holds over all workers, exactly: never more tokens out than the limit.
// Owner: the process; it outlives every token. Thread: any.
// Cost: one atomic addition to take, one to give back; over the limit one more.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace banyan {

class SharedLimit {
 public:
  explicit SharedLimit(uint64_t limit) : limit_(limit) {}
  SharedLimit(const SharedLimit&) = delete;
  SharedLimit& operator=(const SharedLimit&) = delete;

  // One of the limit, until it is destroyed.
  class Token {
   public:
    explicit Token(SharedLimit& from) : from_(&from) {}
    Token(Token&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
    Token& operator=(Token&&) = delete;
    ~Token() {
      if (from_ != nullptr) from_->taken_.fetch_sub(1, std::memory_order_release);
    }

   private:
    SharedLimit* from_;
  };

  // nullopt: all are taken.
  std::optional<Token> try_acquire() {
    uint64_t taken = taken_.load(std::memory_order_relaxed);
    while (taken < limit_.load(std::memory_order_relaxed))
      if (taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_acquire))
        return Token(*this);
    return std::nullopt;
  }
  // From now on; tokens that are out stay out.
  void set_limit(uint64_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> limit_;
  std::atomic<uint64_t> taken_{0};
};

}  // namespace banyan
