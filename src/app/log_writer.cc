#include "app/log_writer.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace banyan {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

LogSink::LogSink(LogWriter& writer, LogFile& file, unsigned worker)
    : writer_(&writer), queue_(&file.queue(worker)), file_(&file) {
  file.join();
}

void LogSink::Leave::operator()(LogFile* file) const { file->leave(); }

void LogSink::write(std::string_view line) {
  if (queue_->push(line) == LineQueue::Push::filled) [[unlikely]]
    writer_->wake();
}

LogWriter::LogWriter(unsigned workers, LogFile::Complain complain, size_t queue_bytes)
    : workers_(workers),
      complain_(std::move(complain)),
      queue_bytes_(queue_bytes),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      end_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  CHECK(event_ >= 0 && end_ >= 0);
}

LogWriter::~LogWriter() {
  const itimerspec at{.it_value = {.tv_sec = last_wait_s}};
  CHECK(timerfd_settime(end_, 0, &at, nullptr) == 0);
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  close(end_);
  close(event_);
}

std::expected<LogSink, std::string> LogWriter::open(unsigned worker, const std::string& path) {
  CHECK(worker < workers_);
  {
    std::lock_guard lock(mutex_);
    if (LogFile* known = find(path)) return LogSink(*this, *known, worker);
  }
  const int fd = LogFile::open(path);
  if (fd < 0) return std::unexpected("cannot open '" + path + "': " + reason(errno));
  auto made = std::make_unique<LogFile>(path, fd, workers_, queue_bytes_);
  std::lock_guard lock(mutex_);
  if (LogFile* known = find(path)) return LogSink(*this, *known, worker);
  files_.push_back(std::move(made));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  return LogSink(*this, *files_.back(), worker);
}

LogFile* LogWriter::find(const std::string& path) const {
  const auto at = std::ranges::find(files_, path, [](const auto& file) { return file->path(); });
  return at == files_.end() ? nullptr : at->get();
}

void LogWriter::reopen() {
  std::vector<std::string> paths;
  {
    std::lock_guard lock(mutex_);
    for (const auto& file : files_) paths.push_back(file->path());
  }
  for (const std::string& path : paths) {
    const int fd = LogFile::open(path);
    if (fd >= 0)
      replace(path, fd);
    else
      complain_("cannot open '" + path + "' again: " + reason(errno) +
                "; the old file is written on");
  }
  wake();
}

void LogWriter::replace(const std::string& path, int fd) {
  std::lock_guard lock(mutex_);
  LogFile* file = find(path);
  if (file != nullptr)
    file->replace_later(fd);
  else
    close(fd);  // its last sink has gone meanwhile
}

void LogWriter::flush() {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) return;
  const uint64_t mine = flush_asked_.fetch_add(1) + 1;
  wake();
  flushed_more_.wait(lock, [&] { return flushed_ >= mine; });
}

LogCounts LogWriter::counts() const {
  std::lock_guard lock(mutex_);
  LogCounts sum = retired_;
  for (const auto& file : files_) sum += file->counts();
  return sum;
}

// An eventfd that cannot be written is one that is set.
void LogWriter::wake() { (void)eventfd_write(event_, 1); }

// A flush is done when nothing is left, or when each queue, as full as it may be, was written: new
// lines must not hold it up for ever.
void LogWriter::run() {
  // Signals are for the thread that waits for them; a reader that went away is an error of write().
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const size_t passes_max = queue_bytes_ / LineQueue::chunk_bytes + 2;
  uint64_t asked = 0;
  size_t passes = 0;
  for (std::vector<int> blocked;;) {
    const bool last = stopping_;
    if (passes++ == 0) asked = flush_asked_;
    const bool more = pass(blocked);
    if (!more || passes == passes_max) {
      set_flushed(asked);
      passes = 0;
    }
    if (!more) close_unused();
    if (!more && last && give_up(blocked)) return;
    // Whoever asked meanwhile woke us, but this turn may have eaten the wake-up.
    if (!last) wait(blocked, more || flush_asked_ != asked);
  }
}

void LogWriter::set_flushed(uint64_t asked) {
  {
    std::lock_guard lock(mutex_);
    flushed_ = asked;
  }
  flushed_more_.notify_all();
}

// One chunk of each queue. True: there is more that can be written now.
bool LogWriter::pass(std::vector<int>& blocked) {
  std::vector<LogFile*> files;
  {
    std::lock_guard lock(mutex_);
    for (const auto& file : files_) files.push_back(file.get());  // only this thread removes any
  }
  blocked.clear();
  bool more = false;
  for (LogFile* file : files) {
    const LogFile::Pump how = file->pump(complain_);
    if (how == LogFile::Pump::more) more = true;
    if (how == LogFile::Pump::blocked) blocked.push_back(file->descriptor());
  }
  return more;
}

void LogWriter::wait(const std::vector<int>& blocked, bool hurry) {
  std::vector<pollfd> on = {{.fd = event_, .events = POLLIN}};
  for (int fd : blocked) on.push_back({.fd = fd, .events = POLLOUT});
  poll(on.data(), on.size(), hurry ? 0 : flush_max_ms);
  eventfd_t ignored;
  (void)eventfd_read(event_, &ignored);
}

// At the end: true when nothing is left to write, or it took too long.
bool LogWriter::give_up(const std::vector<int>& blocked) {
  if (blocked.empty()) return true;
  std::vector<pollfd> on = {{.fd = end_, .events = POLLIN}};
  for (int fd : blocked) on.push_back({.fd = fd, .events = POLLOUT});
  poll(on.data(), on.size(), -1);
  return on.front().revents != 0;
}

void LogWriter::close_unused() {
  std::vector<std::unique_ptr<LogFile>> unused;  // closed after the lock is given back
  std::lock_guard lock(mutex_);
  const auto from = std::partition(files_.begin(), files_.end(),
                                   [](const auto& file) { return !file->unused(); });
  std::move(from, files_.end(), std::back_inserter(unused));
  files_.erase(from, files_.end());
  for (const auto& file : unused) retired_ += file->counts();
}

}  // namespace banyan
