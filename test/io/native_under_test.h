// What the contract of engines is held to over the kernel's sockets: TCP, IPv6, Unix paths and
// abstract names, with each engine. Owner: the test binary. Thread: one.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "io/engine_contract.h"
#include "io/native_engine.h"

namespace banyan {

// How an engine is made. With `choice` automatic it is io_uring, where this machine has it.
template <EngineChoice choice>
struct Standard {
  static std::unique_ptr<NativeEngine> make() { return make_native_engine(choice); }
};

template <class Maker>
struct OverTcp {
  std::unique_ptr<NativeEngine> made = Maker::make();
  NativeEngine& engine = *made;
  Loop loop{engine, 7};
  static constexpr bool distant = true;

  Address listen_at() const { return *parse_address("127.0.0.1:0"); }
  // Bound and closed again: nobody listens there now.
  Address nobody() {
    auto listener = engine.listen(listen_at(), {.reuse_port = false});
    return (*listener)->local();
  }
  // A listener whose queue is full: the kernel drops what more comes.
  Task<Address> unanswered() {
    auto listener = engine.listen(listen_at(), {.backlog = 0});
    full_ = std::move(*listener);
    for (int i = 0; i < 8; ++i) {
      auto filler = co_await engine.connect(full_->local(), loop.now() + 50ms);
      if (!filler) break;
      fillers_.push_back(std::move(*filler));
    }
    co_return full_->local();
  }
  void end_unanswered() {
    fillers_.clear();
    full_.reset();
  }

 private:
  ListenerPtr full_;
  std::vector<StreamPtr> fillers_;
};

template <class Maker>
struct OverTcp6 : OverTcp<Maker> {
  Address listen_at() const { return *parse_address("[::1]:0"); }
};

// A folder of its own, gone with the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/banyan-io-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Address socket(const std::string& name) const {
    return *parse_address("unix:" + path + "/" + name);
  }
  std::string path;
};

template <class Maker>
struct OverUnix {
  Folder folder;
  std::unique_ptr<NativeEngine> made = Maker::make();
  NativeEngine& engine = *made;
  Loop loop{engine, 7};
  int paths = 0;
  static constexpr bool distant = false;  // a full queue refuses at once

  Address listen_at() { return folder.socket(std::to_string(++paths)); }
  Address nobody() const { return folder.socket("nobody"); }
  Task<Address> unanswered() { return crowded(listen_at()); }
  // A listener at `at` whose queue is full.
  Task<Address> crowded(Address at) {
    full_ = std::move(*engine.listen(at, {.backlog = 0}));
    for (;;) {
      auto filler = co_await engine.connect(at);
      if (!filler) break;
      fillers_.push_back(std::move(*filler));
      CHECK(fillers_.size() < 100);
    }
    co_return at;
  }
  void end_unanswered() {
    fillers_.clear();
    full_.reset();
  }

 private:
  ListenerPtr full_;
  std::vector<StreamPtr> fillers_;
};

template <class Maker>
struct OverAbstract : OverUnix<Maker> {
  Task<Address> unanswered() { return this->crowded(listen_at()); }
  Address listen_at() { return *parse_address(fmt_name(++this->paths)); }
  std::string fmt_name(int n) const {
    return "unix:@banyan-" + std::to_string(::getpid()) + "-" + std::to_string(n);
  }
};

template <class Maker>
using NativeKinds =
    testing::Types<OverTcp<Maker>, OverTcp6<Maker>, OverUnix<Maker>, OverAbstract<Maker>>;

}  // namespace banyan
