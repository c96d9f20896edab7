// Signals: the signals of the process as something to wait for.
// Owner: the process, before it makes any other thread (they inherit the blocked mask).
// Thread: its loop's.
// SIGPIPE is ignored: a write to a closed socket is an error like any other.
#pragma once
#include <deque>
#include <initializer_list>

#include "io/epoll.h"
#include "task/sync.h"

namespace banyan {

class Signals final : private Pollable {
 public:
  Signals(EpollEngine& engine, std::initializer_list<int> wanted);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next signal's number; an error when called off.
  Task<Result<int>> next();

 private:
  void on_events(uint32_t events) override;

  EpollEngine& engine_;
  int descriptor_;
  std::deque<int> pending_;
  Event came_;
};

}  // namespace banyan
