// Process: `banyan run`: workers, signals, reloads, the admin pages, and the end.
// Owner: main. Thread: the one that calls run().
// SIGHUP reloads; SIGUSR1 opens the logs again; SIGTERM and SIGINT drain, a second one ends at
// once. Exit status: 0 drained, 1 could not start.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "app/admin.h"
#include "app/observer.h"
#include "app/signals.h"
#include "app/watch.h"

namespace banyan {

struct RunOptions {
  std::string config;
  Sources sources = system_sources();
  std::optional<unsigned> workers;     // else the file's, else one a core
  std::optional<EngineChoice> engine;  // else the file's
  bool watch = false;
  std::function<void()> ready = [] {};  // called once, when clients are served
};

class Process final : private Administered, private Reloader::Participant {
 public:
  // `loaded` is the configuration to begin with; it has a model.
  Process(RunOptions options, Loaded loaded);
  ~Process();

  int run();

 private:
  bool ready() const override { return ready_ && !draining_; }
  Task<std::string> metrics() override;
  Task<std::vector<ServiceStatus>> services() override;
  std::string bulkheads() override;
  Reloader& reloader() override { return *reloader_; }
  std::expected<void, std::string> prepare(const Settings& settings) override;
  void commit(const Loaded& loaded) override;
  void discard() override { admin_next_.reset(); }

  Task<> main();
  Task<> serve(Nursery& tasks);
  Task<> obey_signals(Nursery& tasks);
  Task<> obey_hangups();
  Task<> watch_files();
  Task<> reload();
  Task<> drain();
  Task<> abort();
  void move_admin(const std::string& address);
  Task<> retire_admin(std::unique_ptr<Server> old);

  const RunOptions options_;
  Loaded first_;
  EpollEngine engine_;
  Loop loop_;
  Cancel cancel_;
  Context context_{loop_, cancel_};
  Signals signals_;
  const WorkerPlan plan_;
  Observers observers_;
  ConnectionLimits limits_;
  CallShares calls_;
  Shared shared_;
  Reloader::Workers workers_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Watch> watch_;
  std::shared_ptr<Admin> admin_handler_;
  SharedLimit admin_limit_{64};
  std::string admin_address_;
  std::unique_ptr<Server> admin_;
  ListenerPtr admin_next_;  // of a version that is not in use yet
  Nursery* tasks_ = nullptr;
  Event hangup_;
  Event drained_;
  size_t draining_workers_ = 0;
  bool ready_ = false;
  bool draining_ = false;
  int status_ = 0;
};

}  // namespace banyan
