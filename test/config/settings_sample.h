// A declaration that uses everything a declaration can: each kind of value, a range, a check, a
// required field, a shorthand, a structure that contains itself.
#pragma once
#include <array>

#include "config/schema.h"

namespace banyan {

enum class Colour : uint8_t { red, green, blue };
inline std::span<const std::string_view> words_of(Colour) {
  static constexpr std::array<std::string_view, 3> words = {"red", "green", "blue"};
  return words;
}

struct Lamp {
  std::string name;
  uint16_t watts = 40;
  std::optional<Nanoseconds> fade;
  Place place;
};

struct House {
  std::string owner;
  bool lit = false;
  Colour colour = Colour::green;
  Size room{64 * 1024};
  Percent share{2500};
  std::vector<std::string> tags;
  std::vector<Cidr> nets;
  std::vector<Named<Lamp>> lamps;
  std::vector<House> sheds;
  Secret key;
};

inline void declare(Fields<Lamp>& f) {
  f.about("lamp", "Gives light.");
  f.field("name", &Lamp::name, "Of the lamp.", required);
  f.field("watts", &Lamp::watts, "Its power.", between<uint16_t>(1, 100));
  f.field("fade", &Lamp::fade, "How slowly it goes out.",
          between(std::chrono::milliseconds(1), std::chrono::minutes(1)));
  f.shorthand("name");
}

inline void declare(Fields<House>& f) {
  f.about("house", "Where lamps are.");
  f.field("owner", &House::owner, "A | person.",
          check([](const std::string& v) { return v == "nobody" ? "is nobody" : ""; }));
  f.field("lit", &House::lit, "Is it?");
  f.field("colour", &House::colour, "Of the door.");
  f.field("room", &House::room, "Inside.");
  f.field("share", &House::share, "Of the street.");
  f.field("tags", &House::tags, "Any words.");
  f.field("nets", &House::nets, "Who may come in.");
  f.field("lamps", &House::lamps, "By name.");
  f.field("sheds", &House::sheds, "Behind it.");
  f.field("key", &House::key, "Of the \"door\".");
  f.verify([](const House& h, const Node& node, const Reading& at) {
    if (h.lit && h.lamps.empty()) at.error(node.place, "is lit, and has no lamps");
  });
}

}  // namespace banyan
