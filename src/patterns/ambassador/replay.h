// Replay: makes a request's content readable more than once. What a try reads of it is kept, up to
// a bound, and a later try gets that first and then the rest; beyond the bound it is passed
// through, and there is no other try (lost()). What a try does in the background (it sends the
// content while the answer is awaited) ends with the try. Owner: shared by the retry filter's call
// and its tasks in Request::background, which end with the exchange; so it outlives the answer's
// body. Thread: its loop's. The client's content is read by a task of the exchange, not of a try: a
// read that is called off would end the content for good. Bounds: memory for `most` bytes, in
// blocks that grow; one try at a time.
#pragma once
#include <memory>
#include <vector>

#include "http/message.h"
#include "task/sync.h"

namespace banyan {

class Replay final : public std::enable_shared_from_this<Replay> {
 public:
  // `request` has content.
  Replay(Request& request, size_t most)
      : source_(*request.body), exchange_(*request.background), most_(most) {}

  // Gives a try, a copy of the request, the content from its beginning and its own background.
  // False: the exchange is being called off.
  bool begin(Request& attempt);
  // The try reads nothing more from now on; waits until nothing of it runs any more. An error: the
  // caller is called off; the exchange waits instead.
  Task<Result<>> end();
  // It cannot be given from its beginning any more.
  bool lost() const { return lost_; }

 private:
  class Content;
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t capacity = 0;
    size_t size = 0;
  };
  // Where a reader is in what was kept.
  struct Position {
    size_t block = 0;
    size_t offset = 0;
  };
  // What runs for one try.
  struct Tasks {
    Nursery* nursery = nullptr;  // null: ended
    Event over, ended;
  };

  static Task<> host(std::shared_ptr<Tasks> tasks);
  Task<Result<>> more();
  Task<> fetch();
  void took(Bytes piece);
  void keep(Bytes piece);
  Bytes kept(Position& from) const;

  Body& source_;
  Nursery& exchange_;
  const size_t most_;
  std::vector<Block> blocks_;  // never moved: a try may be sending them
  size_t kept_bytes_ = 0;
  Bytes passing_;  // read, too much to keep, and not given out yet
  bool lost_ = false;
  bool reading_ = false;
  std::optional<Error> error_;
  Event arrived_;
  BodyPtr content_;  // of the try that is under way
  std::shared_ptr<Tasks> tasks_;
};

}  // namespace banyan
