#include "patterns/offloading/header_edits.h"

#include <algorithm>

#include "http/grammar.h"

namespace banyan {

namespace {

// Said by the writer of a message alone, or by routing.
bool is_reserved(std::string_view name) {
  switch (known_name(name)) {
    case Name::connection:
    case Name::content_length:
    case Name::host:
    case Name::keep_alive:
    case Name::proxy_connection:
    case Name::te:
    case Name::trailer:
    case Name::transfer_encoding:
    case Name::upgrade:
      return true;
    default:
      return false;
  }
}

void verify_name(const std::string& name, const Place& place, const Reading& at) {
  if (!is_token(name))
    at.error(place, "'" + printable(name) + "' is no name of a field");
  else if (is_reserved(name))
    at.error(place, "'" + name +
                        "' frames the message or belongs to the connection; it is set by "
                        "the gateway alone");
}

void verify_values(const std::vector<Named<std::string>>& fields, const Reading& at) {
  for (const auto& [name, place, value] : fields) {
    verify_name(name, place, at);
    if (!is_field_value(value) || trim(value) != value)
      at.error(place, "the value of '" + printable(name) +
                          "' has a control character, or blanks around it");
  }
}

}  // namespace

void FieldEdits::apply(Headers& headers) const {
  for (const std::string& name : remove) headers.remove(name);
  for (const auto& [name, place, value] : set) headers.set(name, value);
  for (const auto& [name, place, value] : add) headers.add(name, value);
}

void declare(Fields<FieldEdits>& f) {
  f.about("field edits", "In this order: remove, set, add.");
  f.field("set", &FieldEdits::set, "Fields by name, with their value; others of that name go.");
  f.field("add", &FieldEdits::add, "Fields by name, beside those that are there.");
  f.field("remove", &FieldEdits::remove, "Names of fields.");
  f.verify([](const FieldEdits& s, const Node& node, const Reading& at) {
    verify_values(s.set, at);
    verify_values(s.add, at);
    for (const std::string& name : s.remove) verify_name(name, node.place, at);
  });
}

void declare(Fields<HeaderSettings>& f) {
  f.about("headers",
          "Edits of fields. Those that frame a message, or belong to one connection, cannot be "
          "named.");
  f.field("request", &HeaderSettings::request, "Of what services see.");
  f.field("response", &HeaderSettings::response,
          "Of what clients see, the gateway's own answers included.");
}

}  // namespace banyan
