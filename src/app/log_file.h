// LogFile: one file that lines are written to, with a queue for each worker: rotation, pipes that
// take only a part, disks that are full. Owner: the log writer. Thread: see each call. Bounds:
// `queue_bytes` a worker; a write that fails loses what is queued there and is counted. That lines
// are lost is told once after each opening: a broken disk must not fill the other log.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/line_queue.h"

namespace banyan {

struct LogCounts {
  uint64_t dropped = 0;  // lines: the queue was full, or a write failed
  uint64_t write_errors = 0;

  LogCounts& operator+=(const LogCounts& more) {
    dropped += more.dropped;
    write_errors += more.write_errors;
    return *this;
  }
};

class LogFile {
 public:
  // "-" is standard output. It does not wait for the reader of a pipe. -1 and errno: it cannot be
  // opened.
  static int open(const std::string& path);

  // Takes the descriptor.
  LogFile(std::string path, int fd, unsigned workers, size_t queue_bytes);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // Any thread.
  const std::string& path() const { return path_; }
  LogCounts counts() const;
  // The writer takes this descriptor for it before its next line.
  void replace_later(int next);
  LineQueue& queue(unsigned worker) { return *queues_[worker]; }
  void join() { users_.fetch_add(1, std::memory_order_relaxed); }
  // What was pushed before is seen by whoever sees that there is no user left.
  void leave() { users_.fetch_sub(1, std::memory_order_release); }

  // The writer's thread, all of them.
  using Complain = std::function<void(const std::string&)>;
  enum class Pump : uint8_t {
    done,     // nothing is left, or it was lost
    more,     // something was written
    blocked,  // the pipe takes nothing now
  };
  // Writes what lies together at the front of each queue.
  Pump pump(const Complain& complain);
  int descriptor() const { return fd_; }
  // No user and no line, and there will be none.
  bool unused() const;

 private:
  void replace();
  Pump write_out(LineQueue& from, const Complain& complain);
  void tell_losses(const Complain& complain);
  void failed(LineQueue& from, int why, const Complain& complain);

  const std::string path_;
  std::vector<std::unique_ptr<LineQueue>> queues_;  // by worker
  std::atomic<int> users_{0};
  std::atomic<int> next_fd_{-1};
  Counter write_errors_;
  // The writer's.
  int fd_;
  bool regular_;
  size_t at_ = 0;                // the queue that is next, or whose line is under way
  bool middle_of_line_ = false;  // only a part was taken
  bool torn_ = false;            // the last line was cut off by an error
  bool complained_ = false;      // since it was opened
  uint64_t dropped_before_ = 0;  // what counts() said at the last look
};

}  // namespace banyan
