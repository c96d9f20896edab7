// Sim: runs a task to its end in virtual time, with scripted hosts behind it, and checks what must
// hold after every run: no frame alive, no stream open, nothing left in the nursery. Owner: the
// test. Thread: one. What a task makes must end in it: an object that holds streams and outlives
// the run fails the check (make it inside the task). A run that is stuck (nothing to do, no timer)
// prints the tree of waiting tasks and fails the test; it is then called off. Bound: `turns_max`
// turns, against a task that spins without time going on.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "sim/peer.h"
#include "sim/sim_engine.h"
#include "task/combine.h"
#include "task/nursery.h"

namespace banyan {

class Sim {
 public:
  // `ip` is the address of the machine under test.
  explicit Sim(uint64_t seed = 1, std::string_view ip = "127.0.0.1");
  Sim(const Sim&) = delete;
  Sim& operator=(const Sim&) = delete;
  ~Sim();

  SimWorld& world() { return world_; }
  SimEngine& engine() { return engine_; }
  Loop& loop() { return loop_; }
  // Another machine: Sim::host("10.0.0.7").connect(...) comes from that address.
  Network& host(std::string_view ip) { return world_.host(ip); }
  Duration elapsed() const { return world_.elapsed(); }
  // Of the run that is under way: what waits for what.
  std::string describe() const;
  // Calls the whole run off, as a stop of the process does.
  void cancel(Code why = Code::cancelled) { root_->request(why); }

  // Runs the task that `make` makes, to its end, and gives its result. `make` lives until then, so
  // it may be a coroutine lambda with captures.
  template <class Make>
  auto run(Make make) -> typename std::invoke_result_t<Make&>::value_type {
    using T = typename std::invoke_result_t<Make&>::value_type;
    if constexpr (std::is_void_v<T>) {
      go([&](Context& c, void (*ended)(void*), void* self) { drive(make).start(c, ended, self); });
    } else {
      std::optional<T> result;
      go([&](Context& c, void (*ended)(void*), void* self) {
        drive_into(make, result).start(c, ended, self);
      });
      return std::move(*result);
    }
  }

  // A task beside it. Before run(): it starts when the run does, in the order of these calls;
  // within: at once. It is called off when the run ends.
  template <class Make>
  void background(Make make) {
    start_or_keep(
        [m = std::move(make)](Nursery& nursery) mutable { CHECK(nursery.start(std::move(m))); });
  }
  // A scripted server: `script` (Task<> of Peer&) runs once for each client; the connection closes
  // at its end.
  template <class Script>
  void serve(std::string_view address, Script script) {
    background([this, at = std::string(address), s = std::move(script)]() mutable {
      return accept_clients(at, s);
    });
  }

 private:
  static constexpr uint64_t turns_max = 20'000'000;
  using Start = std::move_only_function<void(Context&, void (*)(void*), void*)>;
  using Deferred = std::move_only_function<void(Nursery&)>;

  template <class Make>
  static Root drive(Make& make) {
    co_await make();
  }
  template <class Make, class T>
  static Root drive_into(Make& make, std::optional<T>& result) {
    result.emplace(co_await make());
  }
  template <class Script>
  Task<> accept_clients(const std::string& at, Script& script) {
    auto listener = listen(at);
    if (listener == nullptr) co_return;
    Nursery clients(co_await current_context());
    while (auto client = co_await listener->accept()) {
      clients.start(
          [&script, s = std::move(*client)]() mutable { return converse(script, std::move(s)); });
    }
    co_await clients.join();
  }
  template <class Script>
  static Task<> converse(Script& script, StreamPtr stream) {
    Peer peer(std::move(stream));
    co_await script(peer);
  }

  ListenerPtr listen(const std::string& at);
  void start_or_keep(Deferred start);
  void go(Start start);
  // The end of a task. The turn in which it comes must not let time go on.
  struct End {
    SimEngine& engine;
    bool done = false;
    static void reached(void* self) {
      static_cast<End*>(self)->done = true;
      static_cast<End*>(self)->engine.wake();
    }
  };
  void turn_until(const End& end);
  void end_background();

  SimWorld world_;
  SimEngine engine_;
  Loop loop_;
  std::vector<Deferred> deferred_;
  std::unique_ptr<Cancel> root_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<Nursery> nursery_;  // only during a run
};

}  // namespace banyan
