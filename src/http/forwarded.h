// Forwarded fields: what the next hop is told about the client: X-Forwarded-For/-Proto/-Host,
// Forwarded, Via. Owner: values in the request's arena. Thread: any. A peer that is trusted may add
// to the chain; what any other peer says about itself is replaced. Forwarded is passed on, and
// added to, only where a trusted peer used it. A field that a CGI program could take for one that
// the gateway knows ("X_Forwarded_For"), or for HTTP_PROXY, is removed whoever sent it. Source: RFC
// 7239; RFC 9110, section 7.6.3.
#pragma once
#include "http/message.h"

namespace banyan {

void set_forwarded(Request& request, bool peer_is_trusted);
// Via alone, for whoever tells nothing of the client.
void add_via(Request& request);

}  // namespace banyan
