#include "patterns/routing/rewrite.h"

namespace banyan {

OrMessage<Rewrite> Rewrite::parse(std::string_view text, std::span<const std::string> captures) {
  auto parsed = Template::parse(text, captures);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  return Rewrite(std::move(*parsed));
}

Result<Target> Rewrite::apply(const Request& request) const {
  const std::string_view path = TRY_RETURN(template_.path(request.captures, request.arena));
  Target target = request.target;
  if (template_.has_query()) {
    target.query = template_.query(request.captures, request.arena);
    target.has_query = !target.query.empty();
  }
  return with_path(target, path, request.arena);
}

}  // namespace banyan
