// LogWriter: lines from the workers into files, written by one thread of its own, so that a slow
// disk or a stuck reader of a pipe never holds a loop: what does not fit into the queue is dropped
// and counted. Owner: Observers; it outlives the workers and every sink. Thread: any but the
// workers' loops for reopen() and flush(); a sink is its worker's. A line is written within
// `flush_max`, or as soon as 64 KiB are there. Bounds: those of each file
// (app/log_file.h). At the end, what is queued is written, but a pipe whose reader lags is given up
// after `last_wait`.
#pragma once
#include <atomic>
#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/log_file.h"

namespace banyan {

class LogWriter;

// Where one worker's lines for one file go. The file stays open while there is a sink.
class LogSink {
 public:
  LogSink(LogSink&& other) noexcept = default;
  LogSink& operator=(LogSink&& other) noexcept = default;
  // The line with its '\n'. Never waits.
  void write(std::string_view line);

 private:
  friend class LogWriter;
  LogSink(LogWriter& writer, LogFile& file, unsigned worker);
  struct Leave {
    void operator()(LogFile* file) const;
  };
  LogWriter* writer_;
  LineQueue* queue_;
  std::unique_ptr<LogFile, Leave> file_;
};

class LogWriter {
 public:
  static constexpr size_t standard_queue_bytes = 4 * 1024 * 1024;
  static constexpr int flush_max_ms = 500, last_wait_s = 1;

  // `complain` gets what goes wrong later on, from the writer's thread or reopen()'s.
  LogWriter(unsigned workers, LogFile::Complain complain,
            size_t queue_bytes = standard_queue_bytes);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter();

  // On a worker's loop only while there is a sink for the path: then nothing is opened.
  // "-" is standard output, which must not have been closed before the process opened anything.
  // Sinks for the same path share the file, as it was opened last. The error says path and reason.
  std::expected<LogSink, std::string> open(unsigned worker, const std::string& path);
  // Opens every file anew: a rotated one gets no further line.
  void reopen();
  // Waits until what was queued before is written, dropped, or stuck in a pipe, whatever comes
  // meanwhile.
  void flush();

  LogCounts counts() const;

 private:
  friend class LogSink;

  LogFile* find(const std::string& path) const;  // under the lock
  void replace(const std::string& path, int fd);
  void wake();
  void run();
  bool pass(std::vector<int>& blocked);
  void wait(const std::vector<int>& blocked, bool hurry);
  void set_flushed(uint64_t asked);
  bool give_up(const std::vector<int>& blocked);
  void close_unused();

  const unsigned workers_;
  const LogFile::Complain complain_;
  const size_t queue_bytes_;
  const int event_;  // there is something to write
  const int end_;    // a timer: the last wait is over
  // For files_ (the list, not what is in it), retired_ and flushed_; never held over what a disk
  // may hold up.
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<LogFile>> files_;
  LogCounts retired_;  // of files that are closed
  std::condition_variable flushed_more_;
  std::atomic<uint64_t> flush_asked_{0};
  uint64_t flushed_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // runs from the first open() on
};

}  // namespace banyan
