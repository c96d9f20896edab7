// Reloader: loads the configuration and takes it into use on all workers, or on none.
// Owner: the process. Thread: the process's loop. One reload at a time; more wait their turn.
// A bad file changes nothing; the result says all that is wrong.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/model.h"
#include "app/worker.h"

namespace banyan {

class Reloader {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;
  // What the process itself does with a version, on its own thread, beside the workers.
  class Participant {
   public:
    // Before the workers. Error: for people; nothing is changed then.
    virtual std::expected<void, std::string> prepare(const Settings& settings) = 0;
    // After them.
    virtual void commit(const Loaded& loaded) = 0;
    virtual void discard() = 0;

   protected:
    ~Participant() = default;
  };
  Reloader(Loop& loop, std::string path, Sources sources, Workers& workers, Observers& observers,
           Participant& process);

  struct Outcome {
    bool applied = false;
    std::string text;  // what is wrong, one problem a line; warnings too
  };
  Task<Outcome> reload();
  // The first load, or one that was made already.
  Task<Outcome> apply(Loaded loaded);
  // Waits for a reload that is under way; none begins after it.
  Task<> close();

  const ModelPtr& model() const { return model_; }
  // 1 after the first.
  uint64_t generation() const { return generation_; }
  // What the last try was read from.
  const std::vector<Asked>& asked() const { return asked_; }
  // Whether it would read something else now.
  bool stale() const { return changed(asked_, sources_); }

 private:
  Task<Outcome> apply_in_turn(Loaded loaded);
  Task<std::string> prepare_all(const ModelPtr& model);
  Task<Result<>> settle(Worker& worker);
  Task<> finish_all(bool applied, const Loaded& loaded);
  Task<> tell_listeners();

  static constexpr size_t waiting_max = 16;
  Loop& loop_;
  const std::string path_;
  const Sources sources_;
  Workers& workers_;
  Observers& observers_;
  Participant& process_;
  Semaphore turn_{1, waiting_max + 1};  // one place is close()'s
  bool closed_ = false;
  ModelPtr model_;
  uint64_t generation_ = 0;
  std::vector<Asked> asked_;
  std::map<std::string, std::string> listening_;  // as it was told last
};

}  // namespace banyan
