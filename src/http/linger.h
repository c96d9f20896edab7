// linger: a careful close. Closing while the peer still sends would reset the connection, and the
// reset can overtake the last answer: so say that nothing more comes, and read on for a while (RFC
// 9112, section 9.6). Owner: the connection that awaits it. Thread: its loop's. Bounds: 256 KiB,
// and `until`.
#pragma once
#include "io/stream.h"

namespace banyan {

Task<> linger(Stream& stream, Time until);

}  // namespace banyan
