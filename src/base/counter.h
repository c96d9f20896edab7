// Counter and AppendList: what a metrics shard is made of: one thread writes, any thread reads,
// with neither locks nor locked instructions. Owner: the shard. Thread: see each call. A counter
// never goes back for a reader; two counters read one after the other may be from different
// moments. Bound: a list grows as far as its writer lets it.
#pragma once
#include <atomic>
#include <cstdint>

namespace banyan {

class Counter {
 public:
  // The writer alone: a plain load and a plain store.
  void add(uint64_t n) { set(value() + n); }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  // Any thread.
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// What goes into an AppendList<T> is derived from Appended<T>.
template <class T>
struct Appended {
  T* next = nullptr;  // written before others can see the element
};

// Owns its elements and keeps them to its end, so a pointer to one never dies before the list.
template <class T>
class AppendList {
 public:
  AppendList() = default;
  AppendList(const AppendList&) = delete;
  AppendList& operator=(const AppendList&) = delete;
  ~AppendList() {
    for (T* at = head_.load(std::memory_order_relaxed); at != nullptr;) {
      T* dead = at;
      at = at->next;
      delete dead;
    }
  }

  // The writer alone. The newest is the first that readers meet.
  template <class... Args>
  T& append(Args&&... args) {
    T* made = new T(static_cast<Args&&>(args)...);
    made->next = head_.load(std::memory_order_relaxed);
    head_.store(made, std::memory_order_release);  // readers see it complete
    return *made;
  }
  // Any thread; null: the end.
  T* first() const { return head_.load(std::memory_order_acquire); }

  template <class F>
  void for_each(F f) const {
    for (T* at = first(); at != nullptr; at = at->next) f(*at);
  }

 private:
  std::atomic<T*> head_{nullptr};
};

}  // namespace banyan
