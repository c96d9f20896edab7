#include "app/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "task/combine.h"

namespace banyan {

Watch::Watch(EpollEngine& engine)
    : engine_(engine), descriptor_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  CHECK(descriptor_ >= 0);
  CHECK(engine_.add(descriptor_, EPOLLIN | EPOLLET, *this));
}

Watch::~Watch() {
  engine_.remove(descriptor_, *this, false);
  ::close(descriptor_);
}

void Watch::set_files(std::span<const Asked> files) {
  std::set<int> now;
  for (const std::string& folder : folders_of(files)) {
    const int watch =
        ::inotify_add_watch(descriptor_, folder.c_str(),
                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE);
    if (watch >= 0) now.insert(watch);
  }
  for (int old : watches_)
    if (!now.contains(old)) ::inotify_rm_watch(descriptor_, old);
  watches_ = std::move(now);
}

void Watch::on_events(uint32_t) {
  alignas(inotify_event) char events[4096];
  while (::read(descriptor_, events, sizeof events) > 0) {
  }
  came_.set();
}

Task<Result<>> Watch::changed() {
  TRY(co_await came_.wait());
  while (came_.is_set()) {
    came_.reset();
    TRY(co_await sleep_for(settle));
  }
  co_return Result<>{};
}

}  // namespace banyan
