#include "app/log_file.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace banyan {

namespace {

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

int LogFile::open(const std::string& path) {
  if (path == "-") return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                0640);
}

LogFile::LogFile(std::string path, int fd, unsigned workers, size_t queue_bytes)
    : path_(std::move(path)), fd_(fd), regular_(is_regular(fd)) {
  for (unsigned i = 0; i < workers; ++i)
    queues_.push_back(std::make_unique<LineQueue>(queue_bytes));
}

LogFile::~LogFile() {
  close(fd_);
  replace_later(-1);
}

LogCounts LogFile::counts() const {
  LogCounts sum{.write_errors = write_errors_.value()};
  for (const auto& queue : queues_) sum.dropped += queue->dropped();
  return sum;
}

void LogFile::replace_later(int next) {
  if (const int old = next_fd_.exchange(next); old >= 0) close(old);
}

bool LogFile::unused() const {
  return users_.load(std::memory_order_acquire) == 0 &&
         std::ranges::all_of(queues_, [](const auto& queue) { return queue->peek().empty(); });
}

// Not in the middle of a line: its end belongs where its beginning is.
void LogFile::replace() {
  if (middle_of_line_) return;
  const int next = next_fd_.exchange(-1);
  if (next < 0) return;
  if (!is_same(fd_, next)) torn_ = false;
  close(fd_);
  fd_ = next;
  regular_ = is_regular(fd_);
  complained_ = false;
}

LogFile::Pump LogFile::pump(const Complain& complain) {
  replace();
  tell_losses(complain);
  bool more = false;
  for (size_t i = 0; i < queues_.size(); ++i) {
    const Pump how = write_out(*queues_[at_], complain);
    if (how == Pump::blocked) return how;
    if (how == Pump::more) more = true;
    at_ = (at_ + 1) % queues_.size();
  }
  return more ? Pump::more : Pump::done;
}

// What lies together at the front: it ends with a whole line. Between two pieces the queue may have
// grown, but this is as far as we go.
LogFile::Pump LogFile::write_out(LineQueue& from, const Complain& complain) {
  std::string_view rest = from.peek();
  if (rest.empty()) return Pump::done;
  while (!rest.empty()) {
    // A pipe that is ready takes PIPE_BUF bytes without waiting, even where O_NONBLOCK is not ours
    // to set (standard output).
    if (!regular_ && !takes_more(fd_)) return Pump::blocked;
    const std::string_view piece = torn_ ? "\n" : rest.substr(0, regular_ ? rest.size() : PIPE_BUF);
    const ssize_t n = ::write(fd_, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return Pump::blocked;
    if (n <= 0) {
      failed(from, n < 0 ? errno : EIO, complain);
      return Pump::done;
    }
    if (std::exchange(torn_, false)) continue;
    from.take(static_cast<size_t>(n));
    rest.remove_prefix(static_cast<size_t>(n));
    middle_of_line_ = piece[static_cast<size_t>(n) - 1] != '\n';
  }
  return Pump::more;
}

// Lines that found their queue full.
void LogFile::tell_losses(const Complain& complain) {
  const uint64_t dropped = counts().dropped;
  if (dropped == std::exchange(dropped_before_, dropped)) return;
  if (!std::exchange(complained_, true))
    complain("'" + path_ + "' takes lines too slowly; lines are lost");
}

void LogFile::failed(LineQueue& from, int why, const Complain& complain) {
  torn_ |= std::exchange(middle_of_line_, false);
  write_errors_.add(1);
  const uint64_t before = from.dropped();
  from.drop_all();
  dropped_before_ += from.dropped() - before;
  if (!std::exchange(complained_, true))
    complain("cannot write '" + path_ + "': " + std::generic_category().message(why) +
             "; lines are lost");
}

}  // namespace banyan
