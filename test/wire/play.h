// play: performs a transcript against a gateway in the simulator, and writes down what happens.
// Owner: the test. Thread: one.
// Parties: `banyan` is the gateway itself (it drains, closes idle connections, and logs); a name
// of a service is its endpoint (`origin`, then `origin2` ... when it has several); `origin#2` is
// its second connection; every other name is a client. Each thing a party does is carried to its
// end before the next one; the network takes no time. Bound: a transcript ends when nobody does
// anything any more; what would come later is not seen.
#pragma once
#include <string>

#include "wire/transcript.h"

namespace banyan::wire {

// The transcript's text as it is: what parties do from the transcript, what they see from the run.
std::string play(const Transcript& transcript);

}  // namespace banyan::wire
