#include "app/log_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <sstream>

namespace banyan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string read_all(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string numbered(int worker, int line) {
  return std::to_string(worker) + " " + std::to_string(line) + std::string(80, 'x') + "\n";
}

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() {
    std::string name = testing::TempDir() + "log_writer_XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~LogWriterTest() override { fs::remove_all(folder); }

  LogWriter writer(unsigned workers, size_t queue_bytes = LogWriter::standard_queue_bytes) {
    return LogWriter(
        workers,
        [this](const std::string& what) {
          std::lock_guard lock(mutex_);
          told_.push_back(what);
        },
        queue_bytes);
  }
  std::vector<std::string> told() {
    std::lock_guard lock(mutex_);
    return told_;
  }
  std::string file(std::string_view name) const { return folder / name; }
  // How many descriptors of this process lead to it.
  static int times_open(const std::string& path) {
    int n = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;  // the one that lists
      n += fs::read_symlink(entry, gone) == path;
    }
    return n;
  }

  fs::path folder;

 private:
  std::mutex mutex_;
  std::vector<std::string> told_;
};

// Other tests count on the descriptors of standard output: they are put back.
class Stdout {
 public:
  Stdout() : kept_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) { std::fflush(stdout); }
  ~Stdout() {
    dup2(kept_, STDOUT_FILENO);
    close(kept_);
  }

 private:
  const int kept_;
};

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST_F(LogWriterTest, WhatIsFlushedIsThere) {
  auto log = writer(1);
  auto sink = log.open(0, file("a")).value();
  sink.write("one\n");
  sink.write("two\n");
  log.flush();
  EXPECT_EQ(read_all(file("a")), "one\ntwo\n");
  sink.write("three\n");
  log.flush();
  EXPECT_EQ(read_all(file("a")), "one\ntwo\nthree\n");
  EXPECT_EQ(log.counts().dropped, 0u);
  struct stat about;
  ASSERT_EQ(stat(file("a").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0137u, 0u) << "nobody else may read who asked for what";
}

TEST_F(LogWriterTest, WhatIsThereAlreadyIsKept) {
  std::ofstream(file("a")) << "before\n";
  auto log = writer(1);
  log.open(0, file("a")).value().write("after\n");
  log.flush();
  EXPECT_EQ(read_all(file("a")), "before\nafter\n");
}

TEST_F(LogWriterTest, ALineIsWrittenWithoutBeingAskedFor) {
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  const int reader = open(file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_EQ(fcntl(reader, F_SETFL, 0), 0);
  auto log = writer(1);
  auto sink = log.open(0, file("pipe")).value();
  sink.write("soon\n");
  char got[16];
  EXPECT_EQ(read(reader, got, sizeof got), 5);  // waits until it is there
  close(reader);
}

TEST_F(LogWriterTest, TheEndWritesWhatIsQueued) {
  std::string all;
  {
    auto log = writer(1);
    auto sink = log.open(0, file("a")).value();
    for (int i = 0; i < 5000; ++i) {
      sink.write(numbered(0, i));
      all += numbered(0, i);
    }
  }
  EXPECT_EQ(read_all(file("a")), all);
}

// For the thread sanitizer, too.
TEST_F(LogWriterTest, LinesOfSeveralWorkersArriveWholeAndEachWorkersInItsOrder) {
  constexpr int workers = 3, lines = 20'000;
  auto log = writer(workers, 2 * LineQueue::chunk_bytes);
  std::latch ready(workers);
  std::vector<std::thread> threads;
  for (int w = 0; w < workers; ++w)
    threads.emplace_back([&, w] {
      auto sink = log.open(static_cast<unsigned>(w), file("a")).value();
      ready.arrive_and_wait();
      for (int i = 0; i < lines; ++i) sink.write(numbered(w, i));
    });
  for (auto& t : threads) t.join();
  log.flush();
  std::vector<int> next(workers, 0);
  const auto all = lines_of(read_all(file("a")));
  for (const std::string& line : all) {
    const int w = line[0] - '0', i = std::atoi(line.c_str() + 2);
    ASSERT_EQ(line + "\n", numbered(w, i));
    ASSERT_GE(i, next[static_cast<size_t>(w)]);
    next[static_cast<size_t>(w)] = i + 1;
  }
  EXPECT_EQ(all.size() + log.counts().dropped, size_t{workers} * lines);
  EXPECT_EQ(told().size(), log.counts().dropped == 0 ? 0u : 1u);
}

TEST_F(LogWriterTest, AFlushEndsWhileLinesKeepComing) {
  auto log = writer(1, 2 * LineQueue::chunk_bytes);
  std::atomic<bool> done{false};
  std::latch begun(1);
  std::thread worker([&] {
    auto sink = log.open(0, "/dev/null").value();
    begun.count_down();
    while (!done) sink.write(numbered(0, 1));
  });
  begun.wait();
  for (int i = 0; i < 20; ++i) log.flush();
  done = true;
  worker.join();
}

TEST_F(LogWriterTest, ARotatedFileGetsNoFurtherLine) {
  auto log = writer(2);
  auto a = log.open(0, file("a")).value(), b = log.open(1, file("a")).value();
  a.write("first\n");
  log.flush();
  fs::rename(file("a"), file("a.1"));
  b.write("still there\n");
  log.flush();
  EXPECT_EQ(read_all(file("a.1")), "first\nstill there\n");
  EXPECT_FALSE(fs::exists(file("a")));
  log.reopen();
  a.write("new a\n");
  b.write("new b\n");
  log.flush();
  EXPECT_EQ(read_all(file("a.1")), "first\nstill there\n");
  EXPECT_EQ(read_all(file("a")), "new a\nnew b\n");
  EXPECT_EQ(times_open(file("a.1")), 0);
  EXPECT_EQ(times_open(file("a")), 1);
}

TEST_F(LogWriterTest, ReopeningAgainBeforeALineComesLeavesOneDescriptor) {
  auto log = writer(1);
  auto sink = log.open(0, file("a")).value();
  for (int i = 0; i < 100; ++i) log.reopen();
  sink.write("x\n");
  log.flush();
  EXPECT_EQ(times_open(file("a")), 1);
}

TEST_F(LogWriterTest, WhenItCannotBeOpenedAgainTheOldFileIsWrittenOn) {
  fs::create_directory(file("d"));
  auto log = writer(1);
  auto sink = log.open(0, file("d/a")).value();
  fs::rename(file("d"), file("e"));
  log.reopen();
  sink.write("x\n");
  log.flush();
  EXPECT_EQ(read_all(file("e/a")), "x\n");
  EXPECT_THAT(told(), ElementsAre("cannot open '" + file("d/a") +
                                  "' again: No such file or directory; the old file is written "
                                  "on"));
}

TEST_F(LogWriterTest, WhatCannotBeOpenedIsSaidWithItsReason) {
  auto log = writer(1);
  EXPECT_EQ(log.open(0, file("none/a")).error(),
            "cannot open '" + file("none/a") + "': No such file or directory");
  EXPECT_EQ(log.open(0, folder).error(), "cannot open '" + folder.string() + "': Is a directory");
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(log.open(0, file("pipe")).error(),
            "cannot open '" + file("pipe") + "': No such device or address")
      << "a pipe without a reader must not be waited for";
  EXPECT_THAT(told(), ElementsAre());
}

TEST_F(LogWriterTest, AFullDiskIsCountedAndToldOnceForEachOpening) {
  auto log = writer(1);
  auto sink = log.open(0, "/dev/full").value();
  for (int round = 1; round <= 2; ++round) {
    sink.write("a\n");
    sink.write("b\n");
    log.flush();
    EXPECT_EQ(log.counts().dropped, 2u * static_cast<unsigned>(round));
    EXPECT_EQ(log.counts().write_errors, static_cast<unsigned>(round));
  }
  const std::string complaint = "cannot write '/dev/full': No space left on device; lines are lost";
  EXPECT_THAT(told(), ElementsAre(complaint));
  log.reopen();
  sink.write("c\n");
  log.flush();
  EXPECT_THAT(told(), ElementsAre(complaint, complaint));
}

// A write that is cut short, as on a disk that fills up, and goes on when there is room.
TEST_F(LogWriterTest, ALineThatWasCutOffDoesNotSpoilTheNext) {
  auto log = writer(1);
  auto sink = log.open(0, file("a")).value();
  {
    FileSizeLimit limit(15);
    sink.write("one 56789\n");
    sink.write("two 56789\n");
    sink.write("three\n");
    log.flush();
  }
  EXPECT_EQ(read_all(file("a")), "one 56789\ntwo 5");
  EXPECT_EQ(log.counts().dropped, 2u);
  EXPECT_THAT(told(),
              ElementsAre("cannot write '" + file("a") + "': File too large; lines are lost"));
  log.reopen();  // as a reload does: it is the same file
  sink.write("four\n");
  log.flush();
  EXPECT_EQ(read_all(file("a")), "one 56789\ntwo 5\nfour\n");
}

TEST_F(LogWriterTest, ANewFileNeedsNoEndOfTheCutLine) {
  auto log = writer(1);
  auto sink = log.open(0, file("a")).value();
  {
    FileSizeLimit limit(5);
    sink.write("one 56789\n");
    log.flush();
  }
  fs::rename(file("a"), file("a.1"));
  log.reopen();
  sink.write("two\n");
  log.flush();
  EXPECT_EQ(read_all(file("a")), "two\n");
}

TEST_F(LogWriterTest, StandardOutputWhoseReaderHasGoneIsAnErrorLikeAnother) {
  Stdout kept;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  auto log = writer(1);
  auto sink = log.open(0, "-").value();
  sink.write("heard\n");
  log.flush();
  char got[16];
  EXPECT_EQ(read(ends[0], got, sizeof got), 6);
  close(ends[0]);
  sink.write("lost\n");
  log.flush();
  EXPECT_EQ(log.counts().dropped, 1u);
  EXPECT_THAT(told(), ElementsAre("cannot write '-': Broken pipe; lines are lost"));
}

TEST_F(LogWriterTest, StandardOutputThatIsClosedCannotBeOpened) {
  Stdout kept;
  auto log = writer(1);
  close(STDOUT_FILENO);
  const auto sink = log.open(0, "-");
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error(), "cannot open '-': Bad file descriptor");
}

// The worker goes on, its memory is bounded, and what was lost is counted to the line.
TEST_F(LogWriterTest, AReaderThatStopsLosesLinesButHoldsNobody) {
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  const int reader = open(file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  constexpr int lines = 10'000;
  size_t seen = 0;
  {
    auto log = writer(1, 2 * LineQueue::chunk_bytes);
    auto sink = log.open(0, file("pipe")).value();
    for (int i = 0; i < lines; ++i) sink.write(numbered(0, i));
    log.flush();  // comes back: the rest is stuck
    const uint64_t dropped = log.counts().dropped;
    EXPECT_GT(dropped, 0u);
    std::string got;
    int last = -1;
    while (seen + dropped < lines) {
      char piece[4096];
      const ssize_t n = read(reader, piece, sizeof piece);
      if (n <= 0) {
        log.flush();
        continue;
      }
      got.append(piece, static_cast<size_t>(n));
      for (size_t end; (end = got.find('\n')) != std::string::npos; got.erase(0, end + 1), ++seen) {
        const int i = std::atoi(got.c_str() + 2);
        ASSERT_EQ(got.substr(0, end + 1), numbered(0, i));
        ASSERT_GT(i, last);
        last = i;
      }
    }
    EXPECT_EQ(got, "");
    EXPECT_EQ(log.counts().dropped, dropped);
    EXPECT_THAT(told(),
                ElementsAre("'" + file("pipe") + "' takes lines too slowly; lines are lost"));
  }
  close(reader);
}

TEST_F(LogWriterTest, TheEndDoesNotWaitForAReaderForEver) {
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  const int reader = open(file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  {
    auto log = writer(1);
    auto sink = log.open(0, file("pipe")).value();
    for (int i = 0; i < 10'000; ++i) sink.write(numbered(0, i));
  }
  char piece[4096];
  EXPECT_EQ(read(reader, piece, sizeof piece), 4096) << "what the pipe took is still there";
  close(reader);
}

TEST_F(LogWriterTest, AFileIsClosedWithItsLastSinkAndItsCountsStay) {
  auto log = writer(2);
  {
    auto a = log.open(0, file("a")).value(), b = log.open(1, file("a")).value();
    auto full = log.open(0, "/dev/full").value();
    a.write("x\n");
    full.write("lost\n");
    {
      const auto gone = std::move(a);
    }
    log.flush();
    log.flush();
    EXPECT_EQ(times_open(file("a")), 1);
  }
  log.flush();  // sees that there is no sink
  log.flush();
  EXPECT_EQ(times_open(file("a")), 0);
  EXPECT_EQ(times_open("/dev/full"), 0);
  EXPECT_EQ(read_all(file("a")), "x\n");
  EXPECT_EQ(log.counts().dropped, 1u);
  EXPECT_EQ(log.counts().write_errors, 1u);
}

// What complains may ask the writer: no lock of its own is held meanwhile.
TEST_F(LogWriterTest, ComplaintsMayAskForTheCounts) {
  LogWriter* self = nullptr;
  std::atomic<int> told_times{0};
  fs::create_directory(file("d"));
  LogWriter log(1, [&](const std::string&) {
    (void)self->counts();
    ++told_times;
  });
  self = &log;
  auto sink = log.open(0, "/dev/full").value();
  auto gone = log.open(0, file("d/a")).value();
  fs::remove_all(file("d"));
  sink.write("x\n");
  log.flush();
  log.reopen();
  EXPECT_EQ(told_times, 2);
}

TEST_F(LogWriterTest, WithoutAFileThereIsNothingToDo) {
  auto log = writer(1);
  log.flush();
  log.reopen();
  EXPECT_EQ(log.counts().dropped, 0u);
}

}  // namespace
}  // namespace banyan
