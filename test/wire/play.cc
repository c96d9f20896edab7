#include "wire/play.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"
#include "wire/gateway.h"

namespace banyan::wire {

namespace {

struct Seen {
  Duration at;
  std::string party;
  std::string bytes;
  std::string event;
  size_t order = 0;
};

// All that was seen and is not written down yet. Bytes that come at one time are one piece.
class Notes {
 public:
  explicit Notes(Sim& sim) : sim_(sim) {}
  void bytes(const std::string& party, std::string_view piece) {
    const Duration now = time();
    if (seen_.empty() || seen_.back().party != party || seen_.back().at != now ||
        !seen_.back().event.empty())
      seen_.push_back({now, party, {}, {}, 0});
    seen_.back().bytes += piece;
  }
  void event(const std::string& party, std::string what) {
    seen_.push_back({time(), party, {}, std::move(what), 0});
  }
  // Settling takes a nanosecond each time: nobody wants to read those.
  Duration time() const { return std::chrono::round<std::chrono::microseconds>(sim_.elapsed()); }
  // At one time the log comes last: it tells what became of what was seen.
  std::vector<Seen> take() {
    for (size_t i = 0; i < seen_.size(); ++i) seen_[i].order = i;
    const auto place = [](const Seen& s) { return std::tuple(s.at, s.party == "banyan", s.order); };
    std::sort(seen_.begin(), seen_.end(),
              [&](const Seen& a, const Seen& b) { return place(a) < place(b); });
    return std::exchange(seen_, {});
  }

 private:
  Sim& sim_;
  std::vector<Seen> seen_;
};

// One party's end of a connection. It reads all the time, unless it pauses.
class Party {
 public:
  Party(Context& context, Notes& notes, std::string name, StreamPtr stream)
      : notes_(notes), name_(std::move(name)), stream_(std::move(stream)), reading_(context) {
    reading_.start([this] { return read(); });
  }
  Task<> send(std::string_view bytes) {
    const Bytes piece[] = {bytes};
    const Time soon = after((co_await current_context()).loop.now(), std::chrono::seconds(1));
    if (stream_ == nullptr || !co_await stream_->write(piece, soon))
      notes_.event(name_, "failed to send");
  }
  void end() { stream_->shutdown_write(); }
  void pause() { going_.reset(); }
  void resume() { going_.set(); }
  Task<> close(bool reset) {
    if (stream_ == nullptr) co_return;
    reading_.cancel();
    co_await reading_.join();
    if (reset) stream_->abort();
    stream_.reset();
  }

 private:
  Task<> read() {
    going_.set();
    char buffer[64 * 1024];
    for (;;) {
      if (!co_await stream_->readable() || !co_await going_.wait()) co_return;
      const auto n = co_await stream_->read(buffer);
      if (!n && n.error().code == Code::cancelled) co_return;
      if (!n || *n == 0) co_return notes_.event(name_, n ? "end" : "reset");
      notes_.bytes(name_, {buffer, *n});
    }
  }

  Notes& notes_;
  const std::string name_;
  StreamPtr stream_;
  Event going_;
  Nursery reading_;
};

class Play {
 public:
  Play(const Transcript& transcript, ModelPtr model, Sim& sim)
      : transcript_(transcript), model_(std::move(model)), sim_(sim), notes_(sim) {}

  Task<std::string> run() {
    Context& context = co_await current_context();
    Nursery listening(context);
    listen(listening);
    SimResolver no_names;
    SimGateway gateway(context, sim_.engine(), no_names,
                       [this](const Request*, const Record& record) { log(record); });
    co_await gateway.use(model_);
    gateway_ = &gateway;
    text_ = transcript_.head;
    for (const Line& line : transcript_.lines) co_await perform(line);
    text_ += transcript_.tail;
    for (auto& [name, party] : parties_) co_await party->close(false);
    co_await gateway.stop();
    listening.cancel();
    co_await listening.join();
    parties_.clear();
    co_return std::move(text_);
  }

 private:
  void listen(Nursery& nursery) {
    for (const auto& service : model_->settings.services) {
      for (size_t i = 0; i < service.value.endpoints.size(); ++i) {
        const std::string name = service.name + (i == 0 ? "" : std::to_string(i + 1));
        const auto where = locate(service.value.endpoints[i].url);
        CHECK(where && where->kind == Location::Kind::fixed);
        const std::string at = to_string(where->address);
        endpoints_.emplace(name, at);
        nursery.start([this, name, at] { return accept(name, at); });
      }
    }
  }
  Task<> accept(std::string name, std::string at) {
    auto listener = sim_.engine().listen(*parse_address(at), ListenOptions{});
    CHECK(listener.has_value());
    for (int n = 1;; ++n) {
      auto stream = co_await (*listener)->accept();
      if (!stream) co_return;
      const std::string whose = n == 1 ? name : fmt::format("{}#{}", name, n);
      notes_.event(whose, "connect");
      add(co_await current_context(), whose, std::move(*stream));
    }
  }
  void log(const Record& record) {
    std::string line = record.status != 0 ? std::to_string(record.status) : "no answer";
    if (record.error)
      line += fmt::format(", {} {}: {}", name(record.error->side), name(record.error->code),
                          record.error->what);
    notes_.event("banyan", std::move(line));
  }
  void add(Context& context, const std::string& name, StreamPtr stream) {
    parties_[name] = std::make_unique<Party>(context, notes_, name, std::move(stream));
  }
  Party* party(const std::string& name) {
    const auto found = parties_.find(name);
    return found != parties_.end() ? found->second.get() : nullptr;
  }

  // Everything that follows at once has happened when time goes on.
  Task<> settle() { (void)co_await sleep_for(Duration(1)); }

  Task<> perform(const Line& line) {
    if (line.at && *line.at > sim_.elapsed()) (void)co_await sleep_for(*line.at - sim_.elapsed());
    // The comment on a wait is about what happens meanwhile.
    const size_t comment = line.party.empty() ? line.source.rfind('@') : 0;
    text_ += line.source.substr(0, comment);
    write_down();
    if (line.at) written_at_ = *line.at;
    text_ += line.source.substr(comment);
    if (line.party == "banyan")
      govern(line.event);
    else if (!line.party.empty())
      co_await act(line);
    co_await settle();
    write_down();
  }
  void govern(const std::string& event) {
    if (event == "drain") return gateway_->server().drain();
    if (event == "close idle") return gateway_->server().close_idle();
    ADD_FAILURE() << "banyan cannot '" << event << "'";
  }
  // What an endpoint does as a whole, connected or not.
  bool be(const Line& line) {
    const auto endpoint = endpoints_.find(line.party);
    if (endpoint == endpoints_.end()) return false;
    SimWorld& world = sim_.world();
    if (line.event == "refuse") world.refuse(endpoint->second);
    if (line.event == "vanish") world.black_hole(endpoint->second);
    if (line.event == "return") world.release(endpoint->second);
    return line.event == "refuse" || line.event == "vanish" || line.event == "return";
  }
  Task<> act(const Line& line) {
    if (be(line)) co_return;
    const bool known = party(line.party) != nullptr;
    const bool endpoint = endpoints_.contains(line.party.substr(0, line.party.find('#')));
    if (!known && endpoint) co_return notes_.event(line.party, "nobody is connected");
    if (!known) co_await dial(line);
    Party* const who = party(line.party);
    if (who == nullptr) co_return;
    if (line.event.empty()) co_await who->send(line.bytes);
    if (line.event == "end") who->end();
    if (line.event == "pause") who->pause();
    if (line.event == "resume") who->resume();
    if (line.event == "close" || line.event == "reset") co_await who->close(line.event == "reset");
  }
  // "connect from 10.1.2.3", or whatever a client does first.
  Task<> dial(const Line& line) {
    constexpr std::string_view from = "connect from ";
    const bool told = line.event.starts_with(from);
    const std::string ip = told ? line.event.substr(from.size()) : "192.0.2.1";
    auto stream = co_await sim_.host(ip).connect(gateway_->server().local());
    if (!stream) co_return notes_.event(line.party, "refused");
    add(co_await current_context(), line.party, std::move(*stream));
  }

  void write_down() {
    for (const Seen& seen : notes_.take()) {
      std::string prefix;
      if (seen.at != written_at_) prefix = "@ " + time_text(seen.at) + " ";
      written_at_ = seen.at;
      prefix += seen.party + " < ";
      text_ += seen.event.empty() ? quote(prefix, seen.bytes) : prefix + seen.event + '\n';
    }
  }

  const Transcript& transcript_;
  const ModelPtr model_;
  Sim& sim_;
  Notes notes_;
  SimGateway* gateway_ = nullptr;
  std::map<std::string, std::string> endpoints_;  // by name: where each is
  std::map<std::string, std::unique_ptr<Party>> parties_;
  std::string text_;
  Duration written_at_{};
};

}  // namespace

std::string play(const Transcript& transcript) {
  std::string wrong;
  ModelPtr model = load(transcript.config, wrong);
  if (model == nullptr) return "the config is not good:\n" + wrong;
  Sim sim(1, "10.0.0.1");
  Play play(transcript, std::move(model), sim);
  return sim.run([&] { return play.run(); });
}

}  // namespace banyan::wire
