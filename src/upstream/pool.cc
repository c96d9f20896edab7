#include "upstream/pool.h"

namespace banyan {

// A connection with what the pool knows about it. Idle, it listens for the endpoint's close.
class Pool::Connection final : public H1Client, private Cancellable {
 public:
  Connection(Pool& pool, StreamPtr stream, const H1ClientLimits& limits)
      : H1Client(std::move(stream), limits), born(pool.loop_.now()), pool_(pool) {}

  void watch() {
    closed_.emplace();
    closed_->add(*this);
    this->stream().peer_gone().attach(*closed_);
  }
  void unwatch() {
    this->stream().peer_gone().detach();
    Cancellable::unlink();
    closed_.reset();
  }

  const Time born;
  Time idle_since{};

 private:
  // The engine is in the middle of this stream's event: only note it, the timer deletes it.
  void on_cancel(Code) noexcept override {
    H1Client::unlink();
    --pool_.idle_count_;
    --pool_.count_;
    pool_.dead_.push_back(*this);
    pool_.loop_.arm(pool_, pool_.loop_.now());
  }
  void describe(std::string& out, int depth) const override {
    describe_line(out, depth, "idle connection");
  }
  Pool& pool_;
  std::optional<Cancel> closed_;
};

Pool::~Pool() {
  clear();
  CHECK(count_ == 0 && connecting_ == 0);
}

void Pool::drop(Connection& connection) {
  --count_;
  delete &connection;
}

void Pool::bury() {
  while (auto* c = static_cast<Connection*>(dead_.pop_front())) delete c;
}

H1Client* Pool::take() {
  while (auto* c = static_cast<Connection*>(idle_.pop_front())) {
    --idle_count_;
    c->unwatch();
    const Time now = loop_.now();
    const bool old = now - c->idle_since > limits_.idle_age_max || now - c->born > limits_.life_max;
    if (!old && c->quiet()) return c;
    drop(*c);
  }
  return nullptr;
}

H1Client& Pool::adopt(StreamPtr stream, const H1ClientLimits& limits) {
  ++count_;
  return *new Connection(*this, std::move(stream), limits);
}

void Pool::put(H1Client& client, bool reusable) {
  auto& c = static_cast<Connection&>(client);
  const bool keep = reusable && idle_count_ < limits_.idle_max &&
                    c.exchanges() < limits_.exchanges_max &&
                    loop_.now() - c.born <= limits_.life_max;
  if (!keep) return drop(c);
  c.idle_since = loop_.now();
  idle_.push_front(c);
  ++idle_count_;
  if (!armed()) loop_.arm(*this, after(loop_.now(), limits_.idle_age_max));
  c.watch();
}

// Deletes the dead, and the idle ones that are too old: those are at the back.
void Pool::fire() noexcept {
  bury();
  const Time now = loop_.now();
  while (auto* c = static_cast<Connection*>(idle_.back())) {
    const Time expires = after(c->idle_since, limits_.idle_age_max);
    if (expires > now) return loop_.arm(*this, expires);
    c->unwatch();
    c->H1Client::unlink();
    --idle_count_;
    drop(*c);
  }
}

void Pool::clear() {
  bury();
  while (auto* c = static_cast<Connection*>(idle_.pop_front())) {
    --idle_count_;
    c->unwatch();
    drop(*c);
  }
}

}  // namespace banyan
