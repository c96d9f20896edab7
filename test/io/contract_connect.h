// Part of the engine contract (engine_contract.h): connecting, listening, accepting.
// Owner: the test binary. Thread: one.
// Lifetimes: scenarios are lambdas that live until the run ends.
// Bound: 30 s of the engine's time for each.
// Source: io/engine.h, whose comments these tests hold the engines to.
#pragma once
#include "io/engine_contract.h"

namespace banyan {

TYPED_TEST_P(EngineContract, ConnectsAndEchoes) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    CO_ASSERT(co_await this->send(*p.client, "hello"));
    EXPECT_EQ(co_await this->read_n(*p.server, 5), "hello");
    CO_ASSERT(co_await this->send(*p.server, "world!"));
    EXPECT_EQ(co_await this->read_n(*p.client, 6), "world!");
  });
}

TYPED_TEST_P(EngineContract, SidesAndPeers) {
  this->run([&]() -> Task<> {
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value());
    const Address local = (*listener)->local();
    auto client = co_await this->network().connect(local);
    auto server = co_await (*listener)->accept();
    CO_ASSERT(client.has_value() && server.has_value());
    EXPECT_EQ((*client)->side(), Side::upstream);
    EXPECT_EQ((*server)->side(), Side::client);
    EXPECT_EQ(to_string((*client)->peer()), to_string(local));
    if (local.family != Address::Family::unix_path)
      EXPECT_EQ((*server)->peer().family, local.family);
  });
}

TYPED_TEST_P(EngineContract, RefusedConnectMayBeRetried) {
  this->run([&]() -> Task<> {
    const Address nobody = this->under.nobody();
    const auto stream = co_await this->network().connect(nobody);
    CO_ASSERT(!stream.has_value());
    EXPECT_EQ(stream.error().code, Code::unavailable);
    EXPECT_EQ(stream.error().side, Side::upstream);
    EXPECT_TRUE(stream.error().retryable);
  });
}

TYPED_TEST_P(EngineContract, ManyClientsAreAcceptedInTurn) {
  this->run([&]() -> Task<> {
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value());
    std::vector<StreamPtr> clients, servers;
    for (int i = 0; i < 50; ++i) {
      auto client = co_await this->network().connect((*listener)->local());
      CO_ASSERT(client.has_value());
      CO_ASSERT(co_await this->send(**client, std::to_string(100 + i)));
      clients.push_back(std::move(*client));
    }
    for (int i = 0; i < 50; ++i) {
      auto server = co_await (*listener)->accept();
      CO_ASSERT(server.has_value());
      EXPECT_EQ(co_await this->read_n(**server, 3), std::to_string(100 + i));
      servers.push_back(std::move(*server));
    }
  });
}

TYPED_TEST_P(EngineContract, ClientsWaitUntilAccepted) {
  this->run([&]() -> Task<> {
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value());
    // The accept waits first, the client comes after.
    const Address at = (*listener)->local();
    auto both = [&](size_t i) -> Task<Result<StreamPtr>> {
      if (i == 0) co_return co_await (*listener)->accept();
      co_return co_await this->network().connect(at);
    };
    auto streams = co_await gather(2, both);
    CO_ASSERT(streams[0].has_value() && streams[1].has_value());
    CO_ASSERT(co_await this->send(**streams[0], "x"));
    EXPECT_EQ(co_await this->read_n(**streams[1], 1), "x");
  });
}

TYPED_TEST_P(EngineContract, PortZeroGivesARealPort) {
  const Address at = this->under.listen_at();
  ASSERT_EQ(at.port, 0);
  auto a = this->network().listen(at, {});
  if (at.family == Address::Family::unix_path) {
    ASSERT_TRUE(a.has_value());
    EXPECT_EQ((*a)->local(), at) << "a path stays as it is";
    return;
  }
  auto b = this->network().listen(at, {});
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_NE((*a)->local().port, 0);
  EXPECT_NE((*a)->local().port, (*b)->local().port);
}

TYPED_TEST_P(EngineContract, AddressInUse) {
  const ListenOptions alone{.reuse_port = false};
  auto first = this->network().listen(this->under.listen_at(), alone);
  ASSERT_TRUE(first.has_value());
  const Address local = (*first)->local();
  const auto second = this->network().listen(local, alone);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_EQ(second.error().side, Side::self);
  EXPECT_STREQ(second.error().what, "the address is in use");
  first->reset();
  EXPECT_TRUE(this->network().listen(local, alone).has_value());
}

// Workers share a port; a path belongs to one listener, whatever it allows.
TYPED_TEST_P(EngineContract, SharedPort) {
  auto first = this->network().listen(this->under.listen_at(), {.reuse_port = true});
  ASSERT_TRUE(first.has_value());
  const Address local = (*first)->local();
  const bool path = local.family == Address::Family::unix_path;
  EXPECT_NE(this->network().listen(local, {.reuse_port = true}).has_value(), path);
  EXPECT_FALSE(this->network().listen(local, {.reuse_port = false}).has_value());
}

TYPED_TEST_P(EngineContract, CancelledAccept) {
  this->run([&]() -> Task<> {
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value());
    auto accept = [&]() -> Task<Result<StreamPtr>> { co_return co_await (*listener)->accept(); };
    const auto none = co_await within{1ms, accept()};
    CO_ASSERT(!none.has_value());
    EXPECT_EQ(none.error().code, Code::timeout);
    // The listener is as good as before.
    auto client = co_await this->network().connect((*listener)->local());
    auto server = co_await within{10s, accept()};
    EXPECT_TRUE(client.has_value() && server.has_value());
  });
}

// Where a connect never waits (a Unix socket's queue is full), it fails at once instead.
TYPED_TEST_P(EngineContract, CancelledConnect) {
  const Code expected = this->under.distant ? Code::timeout : Code::unavailable;
  this->run([&]() -> Task<> {
    const Address at = co_await this->under.unanswered();
    auto connect = [&]() -> Task<Result<StreamPtr>> {
      co_return co_await this->network().connect(at);
    };
    const auto stream = co_await within{5ms, connect()};
    CO_ASSERT(!stream.has_value());
    EXPECT_EQ(stream.error().code, expected);
    EXPECT_TRUE(stream.error().retryable);
    this->under.end_unanswered();
  });
}

TYPED_TEST_P(EngineContract, ConnectDeadline) {
  const bool distant = this->under.distant;
  this->run([&]() -> Task<> {
    const Address at = co_await this->under.unanswered();
    const Time began = this->loop().now(), deadline = began + 5ms;
    const auto stream = co_await this->network().connect(at, deadline);
    CO_ASSERT(!stream.has_value());
    EXPECT_EQ(stream.error().code, distant ? Code::timeout : Code::unavailable);
    EXPECT_EQ(stream.error().side, Side::upstream);
    EXPECT_TRUE(stream.error().retryable);
    if (distant)
      EXPECT_GE(this->loop().now(), deadline);
    else
      EXPECT_EQ(this->loop().now(), began);
    this->under.end_unanswered();
  });
}

TYPED_TEST_P(EngineContract, NothingStartsInACancelledScope) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value() && co_await this->send(*p.client, "there"));
    CO_ASSERT(co_await p.server->readable());
    (co_await current_context()).cancel.request(Code::cancelled);
    char buffer[8];
    const Bytes piece[] = {"x"};
    EXPECT_EQ((co_await p.server->read(buffer)).error().code, Code::cancelled);
    EXPECT_EQ((co_await p.server->write(piece)).error().code, Code::cancelled);
    EXPECT_EQ((co_await (*listener)->accept()).error().code, Code::cancelled);
    const auto stream = co_await this->network().connect((*listener)->local());
    CO_ASSERT(!stream.has_value());
    EXPECT_EQ(stream.error().code, Code::cancelled);
    EXPECT_TRUE(stream.error().retryable);
  });
}

TYPED_TEST_P(EngineContract, ListenerGoneRefuses) {
  this->run([&]() -> Task<> {
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value());
    const Address at = (*listener)->local();
    listener->reset();
    const auto stream = co_await this->network().connect(at);
    CO_ASSERT(!stream.has_value());
    EXPECT_EQ(stream.error().code, Code::unavailable);
  });
}

TYPED_TEST_P(EngineContract, ClosedBeforeAccept) {
  this->run([&]() -> Task<> {
    auto listener = this->network().listen(this->under.listen_at(), {});
    CO_ASSERT(listener.has_value());
    auto client = co_await this->network().connect((*listener)->local());
    CO_ASSERT(client.has_value() && co_await this->send(**client, "bye"));
    client->reset();
    auto server = co_await (*listener)->accept();
    CO_ASSERT(server.has_value());
    std::string got;
    EXPECT_TRUE(co_await this->drain(**server, got));
    EXPECT_EQ(got, "bye");
  });
}

}  // namespace banyan
