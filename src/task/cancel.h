// Cancel: a node of the tree that calls work off. A request for cancellation goes to everything
// below, carries its reason, and is acknowledged: the operation ends with that reason as its error,
// and only then does its caller go on. Frames are never destroyed to cancel (decision 3 of the
// architecture). Owner: whoever starts the work; it must outlive every child. Thread: its loop's.
// The tree doubles as the list of what waits for what: describe() prints it when a simulation is
// stuck.
#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "base/intrusive.h"

namespace banyan {

// Something that can be called off: a waiting operation, or a child node.
class Cancellable : public Hook {
 public:
  // Called at most once, already unlinked. May not resume a coroutine: post it to the loop.
  virtual void on_cancel(Code why) noexcept = 0;
  // One line (and the lines below it) that says what waits here.
  virtual void describe(std::string& out, int depth) const = 0;

 protected:
  ~Cancellable() = default;
};

class Cancel {
 public:
  explicit Cancel(Cancel* parent = nullptr);
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;

  // The first reason stays; later ones are ignored.
  void request(Code why);
  std::optional<Code> why() const { return why_; }
  bool requested() const { return why_.has_value(); }
  void add(Cancellable& below) { below_.push_back(below); }
  bool idle() const { return below_.empty(); }
  void describe(std::string& out, int depth = 0) const;

 private:
  struct Link final : Cancellable {
    explicit Link(Cancel& node) : self(node) {}
    void on_cancel(Code why) noexcept override { self.request(why); }
    void describe(std::string& out, int depth) const override { self.describe(out, depth); }
    Cancel& self;
  };

  std::optional<Code> why_;
  List<Cancellable> below_;
  Link link_{*this};
};

// "  " * depth + text + newline
void describe_line(std::string& out, int depth, std::string_view text);

}  // namespace banyan
