#include "app/log_writer.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace banyan {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// Does not wait for the reader of a pipe. -1 and errno: it cannot be opened.
int open_log(const std::string& path) {
  if (path == "-") return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
              0640);
}

bool is_regular(int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

// A pipe, a terminal, or the same file under the same path.
bool is_same(int a, int b) {
  struct stat one, other;
  return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

bool takes_more(int fd) {
  pollfd one{.fd = fd, .events = POLLOUT};
  return poll(&one, 1, 0) > 0;
}

}  // namespace

// Of the writer's thread, but for what is atomic or const.
class LogFile {
 public:
  LogFile(std::string p, int f, unsigned workers, size_t queue_bytes)
      : path(std::move(p)), fd(f), regular(is_regular(f)) {
    for (unsigned i = 0; i < workers; ++i)
      queues.push_back(std::make_unique<LineQueue>(queue_bytes));
  }
  ~LogFile() {
    close(fd);
    replace_later(-1);
  }
  // Any thread: the writer takes `next` for it before its next line.
  void replace_later(int next) {
    if (const int old = next_fd.exchange(next); old >= 0) close(old);
  }
  void replace() {
    if (middle_of_line) return;
    const int next = next_fd.exchange(-1);
    if (next < 0) return;
    if (!is_same(fd, next)) torn = false;
    close(fd);
    fd = next;
    regular = is_regular(fd);
    complained = false;
  }
  bool empty() const {
    return std::ranges::all_of(queues, [](const auto& q) { return q->peek().empty(); });
  }
  LogWriter::Counts counts() const {
    LogWriter::Counts sum{.write_errors = write_errors.value()};
    for (const auto& q : queues) sum.dropped += q->dropped();
    return sum;
  }

  const std::string path;
  std::vector<std::unique_ptr<LineQueue>> queues;  // by worker
  std::atomic<int> users{0};
  std::atomic<int> next_fd{-1};
  Counter write_errors;
  int fd;
  bool regular;
  size_t at = 0;                // the queue that is next, or whose line is under way
  bool middle_of_line = false;  // a pipe took only a part
  bool torn = false;            // the last line was cut off by an error
  bool complained = false;      // of this descriptor: a broken disk must not fill the other log
  uint64_t dropped_before = 0;  // what counts() said at the last look
};

LogSink::LogSink(LogWriter& writer, LogFile& file, unsigned worker)
    : writer_(&writer), queue_(file.queues[worker].get()), file_(&file) {
  file.users.fetch_add(1, std::memory_order_relaxed);
}

void LogSink::Leave::operator()(LogFile* file) const {
  file->users.fetch_sub(1, std::memory_order_release);
}

void LogSink::write(std::string_view line) {
  if (queue_->push(line) == LineQueue::Push::filled) [[unlikely]]
    writer_->wake();
}

LogWriter::LogWriter(unsigned workers, std::function<void(const std::string&)> complain,
                     size_t queue_bytes)
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
  const int fd = open_log(path);
  if (fd < 0) return std::unexpected("cannot open '" + path + "': " + reason(errno));
  auto made = std::make_unique<LogFile>(path, fd, workers_, queue_bytes_);
  std::lock_guard lock(mutex_);
  if (LogFile* known = find(path)) return LogSink(*this, *known, worker);
  files_.push_back(std::move(made));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  return LogSink(*this, *files_.back(), worker);
}

LogFile* LogWriter::find(const std::string& path) const {
  const auto at = std::ranges::find(files_, path, [](const auto& file) { return file->path; });
  return at == files_.end() ? nullptr : at->get();
}

void LogWriter::reopen() {
  std::vector<std::string> paths;
  {
    std::lock_guard lock(mutex_);
    for (const auto& file : files_) paths.push_back(file->path);
  }
  for (const std::string& path : paths) {
    const int fd = open_log(path);
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

LogWriter::Counts LogWriter::counts() const {
  std::lock_guard lock(mutex_);
  Counts sum = retired_;
  for (const auto& file : files_) {
    const Counts one = file->counts();
    sum.dropped += one.dropped;
    sum.write_errors += one.write_errors;
  }
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
    const Pump how = pump(*file);
    if (how == Pump::more) more = true;
    if (how == Pump::blocked) blocked.push_back(file->fd);
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

LogWriter::Pump LogWriter::pump(LogFile& file) {
  file.replace();
  tell_losses(file);
  bool more = false;
  for (size_t i = 0; i < file.queues.size(); ++i) {
    const Pump how = write_out(file, *file.queues[file.at]);
    if (how == Pump::blocked) return how;
    if (how == Pump::more) more = true;
    file.at = (file.at + 1) % file.queues.size();
  }
  return more ? Pump::more : Pump::done;
}

// What lies together at the front: it ends with a whole line. Between two pieces the queue may have
// grown, but this is as far as we go.
LogWriter::Pump LogWriter::write_out(LogFile& file, LineQueue& from) {
  std::string_view rest = from.peek();
  if (rest.empty()) return Pump::done;
  while (!rest.empty()) {
    // A pipe that is ready takes PIPE_BUF bytes without waiting, even where O_NONBLOCK is not ours
    // to set (standard output).
    if (!file.regular && !takes_more(file.fd)) return Pump::blocked;
    const std::string_view piece =
        file.torn ? "\n" : rest.substr(0, file.regular ? rest.size() : PIPE_BUF);
    const ssize_t n = ::write(file.fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return Pump::blocked;
    if (n <= 0) {
      failed(file, from, n < 0 ? errno : EIO);
      return Pump::done;
    }
    if (std::exchange(file.torn, false)) continue;
    from.take(static_cast<size_t>(n));
    rest.remove_prefix(static_cast<size_t>(n));
    file.middle_of_line = piece[static_cast<size_t>(n) - 1] != '\n';
  }
  return Pump::more;
}

// Lines that found their queue full.
void LogWriter::tell_losses(LogFile& file) {
  const uint64_t dropped = file.counts().dropped;
  if (dropped == std::exchange(file.dropped_before, dropped)) return;
  if (!std::exchange(file.complained, true))
    complain_("'" + file.path + "' takes lines too slowly; lines are lost");
}

void LogWriter::failed(LogFile& file, LineQueue& from, int why) {
  file.torn |= std::exchange(file.middle_of_line, false);
  file.write_errors.add(1);
  const uint64_t before = from.dropped();
  from.drop_all();
  file.dropped_before += from.dropped() - before;
  if (!std::exchange(file.complained, true))
    complain_("cannot write '" + file.path + "': " + reason(why) + "; lines are lost");
}

void LogWriter::close_unused() {
  std::vector<std::unique_ptr<LogFile>> unused;  // closed after the lock is given back
  std::lock_guard lock(mutex_);
  // No user: the last one's lines are all visible (see Leave), and there will be no other.
  const auto from = std::partition(files_.begin(), files_.end(), [](const auto& file) {
    return file->users.load(std::memory_order_acquire) != 0 || !file->empty();
  });
  std::move(from, files_.end(), std::back_inserter(unused));
  files_.erase(from, files_.end());
  for (const auto& file : unused) {
    const Counts last = file->counts();
    retired_.dropped += last.dropped;
    retired_.write_errors += last.write_errors;
  }
}

}  // namespace banyan
