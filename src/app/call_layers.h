// call_layers: the ambassador's policies on the calls of one service, as layers with the reasons
// for their places, and what all workers share of them.
// Owner: CallShares is the process's and outlives the workers. Thread: any for what is shared;
// layers are built on the worker that uses them.
#pragma once
#include "app/settings.h"
#include "base/prometheus.h"
#include "patterns/ambassador/deadline_memory.h"
#include "patterns/ambassador/quota_state.h"
#include "patterns/ambassador/retry_state.h"
#include "patterns/ambassador/token_store.h"
#include "patterns/bulkhead/compartments.h"
#include "service/stack.h"
#include "upstream/circuit.h"

namespace banyan {

struct CallShares {
  TokenStores tokens;   // by service, over reloads
  QuotaStates quotas;   // by service, over reloads
  RetryStates retries;  // by service, over reloads
  DeadlineMemory deadlines;
  Circuits circuits;  // by service, over reloads
  Compartments compartments;
};

// What the layers need to be built; to describe them takes nothing.
struct CallParts {
  std::string_view service = {};
  CallShares* shares = nullptr;
  Loop* loop = nullptr;
  Nursery* tasks = nullptr;  // for what outlives the call that began it
  ServicePtr token_server;   // with oauth2
};
// The service that gives the tokens of that service; the model adds it.
std::string token_service(std::string_view service);

// What concerns a call as a whole, outermost first: what its caller asks and is told.
std::vector<Layer> caller_layers(const ServiceSettings& settings, CallParts parts);
// What sends a call, once or more often; below all that holds calls back or turns them away.
std::vector<Layer> attempt_layers(const ServiceSettings& settings, CallParts parts);

// The budgets of a version that is taken into use. It may be told by each worker.
void set_budgets(const Settings& settings, RetryStates& states);
void write_retries(Exposition& out, RetryStates& states);
void write_tokens(Exposition& out, const TokenStores& tokens);
void write_quotas(Exposition& out, const QuotaStates& quotas, Time now);

}  // namespace banyan
