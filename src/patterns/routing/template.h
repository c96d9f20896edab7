// Template: a new path, and maybe a new query, with captures filled in: "/v2/{id}?full={flag}".
// Read once at load. Owner: a route's rewrite or redirect. Thread: any (read only). A captured
// value never changes what the text around it means: in the path it stands as it came (normal form,
// escapes kept), where two slashes would meet one stays, and a result that is not in normal form (a
// dot segment made of two halves) is refused; in the query `&`, `=`, `+` and `;` of a value are
// escaped. "/x?" has an empty query: it takes the request's query away.
#pragma once
#include <optional>
#include <span>

#include "http/message.h"
#include "patterns/routing/pieces.h"

namespace banyan {

class Template {
 public:
  // `names`: the captures there will be; nullopt: not known here, an absent one is empty.
  static OrMessage<Template> parse(std::string_view text,
                                   std::optional<std::span<const std::string>> names);

  // In normal form. Error: 400.
  Result<std::string_view> path(std::span<const Capture> captures, Arena& arena) const;
  bool has_query() const { return has_query_; }
  std::string_view query(std::span<const Capture> captures, Arena& arena) const;

 private:
  std::vector<Piece> path_, query_;
  bool has_query_ = false;
};

}  // namespace banyan
