// What a worker says of its listeners over reloads, with real sockets.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "app/worker.h"
#include "config/texts.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

// A client that waits for what it reads.
class Client {
 public:
  explicit Client(const Address& to) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage raw;
    unsigned size = sizeof raw;
    EXPECT_TRUE(to_sockaddr(to, raw, size));
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&raw), size), 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One answer without content after its head; empty: the connection has ended.
  std::string ask() {
    const std::string_view text = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
    std::string got;
    char piece[1024];
    while (got.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = read(fd_, piece, sizeof piece);
      if (n <= 0) return "";
      got.append(piece, static_cast<size_t>(n));
    }
    return got.substr(0, got.find("\r\n"));
  }

 private:
  const int fd_;
};

class WorkerCountsTest : public testing::Test {
 protected:
  WorkerCountsTest() {
    worker.start([this] { drained.set_value(); });
  }
  ~WorkerCountsTest() override { worker.finish(); }

  void apply(const std::string& listener) {
    texts.files["c"] = "version: 1\nlisteners: { " + listener +
                       ": 127.0.0.1:0 }\nservices: { empty: { respond: { status: 204 } } }\n"
                       "routes: [ { to: empty } ]\n";
    Loaded loaded = load_model("c", texts.sources());
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    bound.clear();
    std::promise<std::string> done;
    worker.loop().send([&] { worker.tasks().start([&] { return take(loaded.model, done); }); });
    ASSERT_EQ(done.get_future().get(), "");
  }
  std::map<std::string, ServerCounts> counts() {
    std::promise<std::map<std::string, ServerCounts>> out;
    worker.loop().send([&] { out.set_value(worker.sample().listeners); });
    return out.get_future().get();
  }

  Texts texts;
  Observers observers{1, "0", [](const std::string& what) { ADD_FAILURE() << what; }};
  ConnectionLimits limits;
  CallShares calls;
  const WorkerPlan plan{1, Settings{}};
  Shared shared{limits, calls, observers, plan};
  std::promise<void> drained;
  std::vector<BoundAddress> bound;
  Worker worker{0, shared, 1};

 private:
  Task<> take(ModelPtr model, std::promise<std::string>& done) {
    auto ready = co_await worker.prepare(std::move(model), bound);
    if (ready) worker.commit();
    done.set_value(ready ? "" : ready.error());
  }
};

TEST_F(WorkerCountsTest, AListenerThatIsGoneKeepsItsTotalsAndLosesItsConnections) {
  apply("public");
  auto client = std::make_optional<Client>(bound[0].address);
  EXPECT_EQ(client->ask(), "HTTP/1.1 204 No Content");
  EXPECT_EQ(counts()["public"].accepted, 1u);
  EXPECT_EQ(counts()["public"].active, 1u);

  apply("front");
  EXPECT_EQ(counts()["public"].active, 1u) << "the listener has gone, its client has not";
  Client other(bound[0].address);
  EXPECT_EQ(other.ask(), "HTTP/1.1 204 No Content");
  EXPECT_EQ(counts()["front"].accepted, 1u);

  client.reset();
  while (counts()["public"].active != 0) {
  }
  EXPECT_EQ(counts()["public"].accepted, 1u);

  worker.loop().send([this] { worker.drain(0s); });
  drained.get_future().wait();
  const auto last = counts();
  ASSERT_TRUE(last.contains("public"));
  EXPECT_EQ(last.at("public").accepted, 1u) << "what has ended is remembered";
  EXPECT_EQ(last.at("public").active, 0u);
}

}  // namespace
}  // namespace banyan
