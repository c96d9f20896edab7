// ServerConnection: what a server knows of a client's connection, whichever protocol it speaks.
// Owner: the server's task that serves it; linked into the server's list meanwhile. Thread: its
// loop's.
#pragma once
#include "base/intrusive.h"
#include "task/task.h"

namespace banyan {

class ServerConnection : public Hook {
 public:
  virtual ~ServerConnection() = default;
  // Serves until the connection ends; then the stream can be closed.
  virtual Task<> serve() = 0;
  // The process drains: the client is told, where the protocol has words for it.
  virtual void drain() {}
  // Ends an idle connection as if the client had: what it has sent already is still answered.
  virtual void close_if_idle() = 0;
};

}  // namespace banyan
