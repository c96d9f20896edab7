#include "app/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace banyan {

Signals::Signals(EpollEngine& engine, std::initializer_list<int> wanted) : engine_(engine) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : wanted) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  descriptor_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(descriptor_ >= 0);
  CHECK(engine_.add(descriptor_, EPOLLIN | EPOLLET, *this));
}

Signals::~Signals() {
  engine_.remove(descriptor_, *this, false);
  ::close(descriptor_);
}

void Signals::on_events(uint32_t) {
  signalfd_siginfo info;
  while (::read(descriptor_, &info, sizeof info) == sizeof info)
    pending_.push_back(static_cast<int>(info.ssi_signo));
  came_.set();
}

Task<Result<int>> Signals::next() {
  while (pending_.empty()) {
    came_.reset();
    TRY(co_await came_.wait());
  }
  const int number = pending_.front();
  pending_.pop_front();
  co_return number;
}

}  // namespace banyan
