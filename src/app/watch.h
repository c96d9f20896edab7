// Watch: tells when something happened where files of the configuration are (inotify). Folders are
// watched, not files: editors and Kubernetes replace a file or a link by a new one.
// Owner: the process. Thread: its loop's.
// A burst of changes is told once, after `settle` without another.
#pragma once
#include <set>
#include <span>

#include "app/asked.h"
#include "io/epoll.h"
#include "task/sync.h"

namespace banyan {

class Watch final : private Pollable {
 public:
  static constexpr Duration settle = std::chrono::milliseconds(100);

  explicit Watch(EpollEngine& engine);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // From now on the folders where a change of these would be seen.
  void set_files(std::span<const Asked> files);
  // Until something has changed since the last call.
  Task<Result<>> changed();

 private:
  void on_events(uint32_t events) override;

  EpollEngine& engine_;
  int descriptor_;
  std::set<int> watches_;
  Event came_;
};

}  // namespace banyan
