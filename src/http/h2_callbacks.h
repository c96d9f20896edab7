// H2Callbacks: what nghttp2 tells an H2Link, turned into calls of it and its channels. Owner: none,
// one table for the process. Thread: that of the link.
#pragma once
#include <nghttp2/nghttp2.h>

namespace banyan {

struct H2Callbacks {
  static const nghttp2_session_callbacks* all();
};

}  // namespace banyan
