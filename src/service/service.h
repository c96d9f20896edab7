// Service and Filter: "your server as a function" (Eriksen, 2013). Everything that can answer a
// request is a Service; a Filter is a Service that wraps the next one. All nine patterns are made
// of these two. Owner: the worker's snapshot of the configuration; services are shared by the
// routes that name them. Thread: one worker's loop. Lifetime: a service outlives every call and
// every answer body it gave out. Errors are values: service/respond.h alone turns them into
// statuses, at the edge.
#pragma once
#include <memory>

#include "http/message.h"

namespace banyan {

class Service {
 public:
  Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;
  // `request` outlives the call and the answer's body.
  virtual Task<Reply> call(Request& request) = 0;
};
using ServicePtr = std::shared_ptr<Service>;

class Filter : public Service {
 public:
  explicit Filter(ServicePtr wrapped) : next(std::move(wrapped)) {}

 protected:
  const ServicePtr next;
};

}  // namespace banyan
