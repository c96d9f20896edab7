// EngineContract: what every engine must do alike, as one typed suite. Each engine instantiates it
// in a file of its own (sim_engine_test.cc, epoll_engine_test.cc). Owner: the test binary. Thread:
// one. An engine under test is a type with `engine`, `loop`, listen_at() (an address that can be
// listened on), nobody() (one that refuses) and `distant` (a connect can be made to hang). Bound:
// every scenario has 30 s of the engine's own time; a scenario that is cut off there fails.
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "io/engine.h"
#include "task/combine.h"
#include "task/nursery.h"
#include "task/sync.h"

namespace banyan {

using namespace std::chrono_literals;

// As ASSERT_TRUE, in a coroutine that gives nothing.
#define CO_ASSERT(...)                                 \
  do {                                                 \
    if (!(__VA_ARGS__)) {                              \
      ADD_FAILURE() << #__VA_ARGS__ << " is not true"; \
      co_return;                                       \
    }                                                  \
  } while (0)

struct StreamPair {
  StreamPtr client, server;
};

template <class UnderTest>
class EngineContract : public testing::Test {
 public:
  static constexpr Duration scenario_max = 30s;

  // Runs the scenario that `make` makes. The lambda lives until its end, so it may have captures.
  template <class Make>
  void run(Make make) {
    const auto frames_before = frames.live();
    ended = false;
    drive(make).start(context, &EngineContract::end, this);
    while (!ended) {
      if (loop().turn() || ended) continue;
      std::string tree;
      root.describe(tree);
      ADD_FAILURE() << "stuck:\n" << tree;
      root.request(Code::cancelled);
    }
    EXPECT_EQ(frames.live(), frames_before);
  }
  // A connected pair over a listener that is gone afterwards.
  Task<StreamPair> pair() {
    auto listener = network().listen(under.listen_at(), {});
    CHECK(listener.has_value());
    auto client = co_await network().connect((*listener)->local());
    auto server = co_await (*listener)->accept();
    CHECK(client.has_value() && server.has_value());
    co_return StreamPair{std::move(*client), std::move(*server)};
  }
  static Task<Result<>> send(Stream& to, std::string_view text, Time deadline = never) {
    const Bytes piece[] = {text};
    co_return co_await to.write(piece, deadline);
  }
  static Task<std::string> read_n(Stream& from, size_t n) {
    std::string got(n, '\0');
    size_t have = 0;
    while (have < n) {
      const auto r = co_await from.read(std::span(got).subspan(have));
      if (!r || *r == 0) break;
      have += *r;
    }
    got.resize(have);
    co_return got;
  }
  // Everything until the end, and how it ended.
  static Task<Result<>> drain(Stream& from, std::string& into) {
    char buffer[40'000];
    for (;;) {
      const size_t n = TRY(co_await from.read(buffer));
      if (n == 0) co_return Result<>();
      into.append(buffer, n);
    }
  }
  // A reset that every kind of stream can make: Unix sockets know only the one for unread bytes.
  static Task<> reset_by_server(StreamPair& p) {
    CO_ASSERT(co_await send(*p.client, "unread"));
    CO_ASSERT(co_await p.server->readable());
    p.server->abort();
    p.server.reset();
  }
  // Whether the scope is called off in time, waiting for that alone.
  static Task<Result<>> forever() { co_return co_await sleep_until(never); }
  Network& network() { return under.engine; }
  Loop& loop() { return under.loop; }

  UnderTest under;
  Cancel root;
  Context context{under.loop, root, never};
  bool ended = false;

 private:
  // The turn in which the scenario ends must not wait for an event that never comes.
  static void end(void* self) {
    auto& contract = *static_cast<EngineContract*>(self);
    contract.ended = true;
    contract.under.engine.wake();
  }
  template <class Make>
  Root drive(Make& make) {
    const Time limit = after(loop().now(), scenario_max);
    co_await within{Duration(scenario_max), make()};
    EXPECT_LT(loop().now(), limit) << "the scenario was cut off";
  }
};

// `n` bytes that differ at each place and for each seed.
inline std::string pattern(size_t n, uint64_t seed = 1) {
  std::string text(n, '\0');
  uint64_t x = seed * 0x9E3779B97F4A7C15 + 1;
  for (char& c : text) {
    x = x * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(x >> 56);
  }
  return text;
}

inline Task<> nothing() { co_return; }

TYPED_TEST_SUITE_P(EngineContract);

}  // namespace banyan

#include "io/contract_connect.h"
#include "io/contract_data.h"
#include "io/contract_end.h"

namespace banyan {

REGISTER_TYPED_TEST_SUITE_P(
    EngineContract,
    // contract_connect.h
    ConnectsAndEchoes, SidesAndPeers, RefusedConnectMayBeRetried, ManyClientsAreAcceptedInTurn,
    ClientsWaitUntilAccepted, PortZeroGivesARealPort, AddressInUse, SharedPort, CancelledAccept,
    CancelledConnect, ConnectDeadline, NothingStartsInACancelledScope, ListenerGoneRefuses,
    ClosedBeforeAccept,
    // contract_data.h
    LargeTransferWithBackpressure, BothDirectionsAtOnce, GatheredWrites, WritesOfNothing,
    ShortReads, CancelledReadLosesNothing, ReadDeadline, ReadDeadlineInThePast, WriteDeadline,
    CancelledWrite, ReadableTakesNothing, ReadableWaits, QuietSeesBytes,
    QuietAfterAnUnwaitedShortRead,
    // contract_end.h
    EndOfStream, HalfCloseThenTheRest, WriteAfterOwnEnd, Reset, ResetWhileReading,
    ResetIsNoEndAfterAFailedWrite, ResetIsNoEndAfterReadable, ResetIsNoEndAfterQuiet,
    DataBeforeAResetCanBeRead, TheLastWriteArrivesWithTheEnd, WritesToAClosedPeerFail,
    ShutdownReadEndsAWait, PeerGoneOnEnd, PeerGoneOnReset, PeerGoneAtOnce, BytesAreNoPeerGone,
    NoPeerGoneAfterDetach, QuietSeesTheEnd, DestroyedFromAnothersEvent, DestroyedInTheSameBatch,
    ReaderAndWriterEndTogether);

}  // namespace banyan
