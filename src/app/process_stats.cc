#include "app/process_stats.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/text.h"

namespace banyan {

namespace {

using Kind = Exposition::Kind;
using std::chrono::nanoseconds;

std::string read_file(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<size_t>(n));
  close(fd);
  return text;
}

// The n-th word, from 0.
std::string_view word(std::string_view text, size_t n) {
  for (;; --n) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    if (n == 0) return text.substr(0, end);
    if (end == text.size()) return {};
    text.remove_prefix(end + 1);
  }
}

std::optional<uint64_t> resident_bytes() {
  const auto pages = parse_u64(word(read_file("/proc/self/statm"), 1));
  if (!pages) return std::nullopt;
  return *pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Seconds since 1970: when the machine was started, and how long after that the process was.
std::optional<nanoseconds> started_at() {
  const std::string machine = read_file("/proc/stat"), self = read_file("/proc/self/stat");
  // The name of the program may hold anything; the last ')' ends it.
  const size_t name_end = self.rfind(") "), boot = machine.find("\nbtime ");
  if (name_end == std::string::npos || boot == std::string::npos) return std::nullopt;
  const auto ticks = parse_u64(word(std::string_view(self).substr(name_end + 2), 19));
  const auto booted = parse_u64(word(std::string_view(machine).substr(boot + 7), 0));
  if (!ticks || !booted) return std::nullopt;
  const auto tick = nanoseconds(std::chrono::seconds(1)) / sysconf(_SC_CLK_TCK);
  return std::chrono::seconds(*booted) + *ticks * tick;
}

std::optional<uint64_t> open_descriptors() {
  // Linux 6.2 and later say the number at once.
  struct stat about;
  if (stat("/proc/self/fd", &about) == 0 && about.st_size > 0)
    return static_cast<uint64_t>(about.st_size);
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++count;
  if (error) return std::nullopt;
  return count == 0 ? 0 : count - 1;  // not the one that lists them
}

nanoseconds cpu_time() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  auto time = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return time(used.ru_utime) + time(used.ru_stime);
}

template <class T>
void gauge(Exposition& out, std::string_view name, std::string_view help, std::optional<T> value) {
  if (!value) return;
  out.family(Kind::gauge, name, help);
  out.sample({}, *value);
}

}  // namespace

void write_process_stats(Exposition& out) {
  out.family(Kind::counter, "process_cpu_seconds_total", "Time on a processor, user and system.");
  out.sample({}, cpu_time());
  gauge(out, "process_start_time_seconds", "When the process was started, since 1970.",
        started_at());
  gauge(out, "process_resident_memory_bytes", "Memory that is in use.", resident_bytes());
  gauge(out, "process_open_fds", "Open descriptors.", open_descriptors());
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  gauge(out, "process_max_fds", "Descriptors that may be open.",
        std::optional<uint64_t>(files.rlim_cur));
}

}  // namespace banyan
