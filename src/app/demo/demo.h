// demo: what `banyan demo` runs and prints: the configuration of its gateway and the commands to
// try. The services behind it are app/demo/shop.h. Owner: none, literals. Thread: any.
// The configuration is examples/demo.yaml, byte for byte; a test compares the two.
#pragma once
#include <string>
#include <string_view>

namespace banyan {

std::string_view demo_config();
// A few lines of curl, each with what it shows. All of them work against demo_config() and a Shop
// on its standard ports.
std::string demo_greeting();

}  // namespace banyan
