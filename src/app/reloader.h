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
  // `applied` is called after each success.
  Reloader(Loop& loop, std::string path, Sources sources, Workers& workers, Observers& observers,
           std::function<void(const Loaded&)> applied);

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
  const std::vector<std::string>& watched() const { return watched_; }

 private:
  Task<Outcome> apply_in_turn(Loaded loaded);
  Task<std::string> prepare_all(const ModelPtr& model);

  Loop& loop_;
  const std::string path_;
  const Sources sources_;
  Workers& workers_;
  Observers& observers_;
  std::function<void(const Loaded&)> applied_;
  Semaphore turn_{1, 16};
  bool closed_ = false;
  ModelPtr model_;
  uint64_t generation_ = 0;
  std::vector<std::string> watched_;
};

}  // namespace banyan
