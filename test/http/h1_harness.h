// TestServer and TestClient: HTTP/1 connections in the simulator, for tests of both roles. Owner:
// the test. Thread: one. Lifetimes: they outlive the run; what they serve or lend ends in it.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "http/h1_client.h"
#include "http/h1_connection.h"
#include "http/hop.h"
#include "sim/run.h"

namespace banyan {

// A server whose service is a function. Its answers have a fixed Date, so that their bytes are
// known.
class TestServer final : public Handler, public HandlerSource {
 public:
  using Answer = std::function<Task<Reply>(Request&)>;
  explicit TestServer(Answer answer) : answer_(std::move(answer)) {}

  H1Limits h1;
  bool drains = false;
  std::vector<Record> records;
  H1Connection* last = nullptr;  // the newest connection, while it is open

  // Serves clients of `at` until the run ends.
  void serve(Sim& sim, std::string at) {
    sim.background([this, &sim, at = std::move(at)] { return accept_clients(sim, at); });
  }

  // One client, to its end.
  Task<> converse(StreamPtr stream) {
    H1Connection connection(std::move(stream), *this);
    last = &connection;
    co_await connection.serve();
    last = nullptr;
  }

  const H1Limits& limits() const override { return h1; }
  Task<Reply> call(Request& request) override { return answer_(request); }
  Response fault(Arena& arena, const Request*, const Error& error) override {
    Response rsp;
    rsp.status = error.status != 0 ? error.status : 502;
    rsp.headers = arena.make<Headers>(arena);
    rsp.body = std::make_unique<TextBody>(error.what);
    return rsp;
  }
  void finished(const Request*, const Address&, const Record& record) override {
    records.push_back(record);
  }
  std::shared_ptr<Handler> handler() override { return {std::shared_ptr<void>(), this}; }
  bool draining() const override { return drains; }
  std::string_view http_date() override { return "now"; }

 private:
  Task<> accept_clients(Sim& sim, std::string at) {
    auto listener = sim.engine().listen(*parse_address(at), ListenOptions{});
    CHECK(listener.has_value());
    Nursery clients(co_await current_context());
    while (auto client = co_await (*listener)->accept())
      clients.start([this, s = std::move(*client)]() mutable { return converse(std::move(s)); });
    co_await clients.join();
  }

  Answer answer_;
};

// Everything of a body, and how it ended.
struct Content {
  std::string text;
  std::string trailers;
  std::string fault;
  Code code{};
};
inline Task<Content> read_content(Body* body) {
  Content out;
  if (body == nullptr) co_return out;
  while (!body->ended()) {
    auto piece = co_await body->read();
    if (!piece) {
      out.fault = piece.error().what;
      out.code = piece.error().code;
      co_return out;
    }
    out.text += *piece;
  }
  if (body->trailers() != nullptr)
    for (const Field& f : *body->trailers()) out.trailers += fmt::format("{}={};", f.name, f.value);
  co_return out;
}

// One request on a connection of its own, or on one that is kept from call to call.
class TestClient final : public H1Home {
 public:
  H1ClientLimits limits;
  std::unique_ptr<H1Client> connection;
  bool reusable = false;  // what the last exchange left behind
  bool silent = false;

  struct Asked {
    std::string_view method = "GET";
    Body* body = nullptr;
    std::string_view upgrade;
    bool expects_continue = false;
    Interim* interim = nullptr;
  };
  // `use` gets the answer while the exchange lasts.
  Task<> exchange(StreamPtr stream, Asked asked, std::function<Task<>(Reply)> use) {
    connection = std::make_unique<H1Client>(std::move(stream), limits);
    co_await again(asked, std::move(use));
    connection.reset();
  }
  Task<> again(Asked asked, std::function<Task<>(Reply)> use) {
    Arena arena;
    Headers headers(arena);
    headers.add(Name::host, "origin");
    Record record;
    const Address client{};
    Nursery background(co_await current_context());
    Request request{.arena = arena,
                    .method = parse_method(asked.method),
                    .method_text = asked.method,
                    .headers = headers,
                    .body = asked.body,
                    .upgrade = asked.upgrade,
                    .expects_continue = asked.expects_continue,
                    .client = client,
                    .interim = asked.interim,
                    .background = &background,
                    .record = record};
    silent = false;
    co_await use(
        co_await H1Client::send(H1Lease(*connection, *this), request, "/", headers, silent));
    background.cancel();
    co_await background.join();
  }
  void give_back(H1Client&, bool is_reusable) noexcept override { reusable = is_reusable; }
};

}  // namespace banyan
