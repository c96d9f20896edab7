#include "io/engine.h"

namespace banyan {

bool Connect::start() { return network.start(*this); }
void Connect::abandon(Code why) { network.cancel(*this, why); }
void Connect::refuse(Code why) {
  result = fail(why, Side::upstream, "called off before connecting", true);
}
void Connect::describe(std::string& out, int depth) const {
  describe_line(out, depth, "connect to " + to_string(address));
}

bool Accept::start() { return listener.start(*this); }
void Accept::abandon(Code why) { listener.cancel(*this, why); }
void Accept::refuse(Code why) { result = fail(why, Side::self, "called off before accepting"); }
void Accept::describe(std::string& out, int depth) const { describe_line(out, depth, "accept"); }

}  // namespace banyan
