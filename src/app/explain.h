// explain: what would happen to a request: the route that wins, the nearest others and why they
// lost, the layers it passes, and the endpoint. For `banyan explain` and the admin page.
// Owner: none, these are functions. Thread: any.
// Nothing is sent: the answer comes from the configuration alone.
#pragma once
#include <expected>
#include <string>
#include <vector>

#include "app/model.h"

namespace banyan {

struct ExplainQuery {
  std::string method = "GET";
  std::string url;                   // "https://shop.example/x?y=1", or "/x" for no host
  std::vector<std::string> headers;  // "name: value"
  std::string client = "127.0.0.1";  // where the request comes from
};

// From "method=GET&url=...&header=...&client=...", decoded. Error: what is wrong with it.
std::expected<ExplainQuery, std::string> explain_query(std::string_view query);

// Error: why it is no request at all (the answer a client would get).
std::expected<std::string, std::string> explain(const Model& model, const ExplainQuery& query);

}  // namespace banyan
