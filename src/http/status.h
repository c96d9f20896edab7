// Status codes and their reason phrases (RFC 9110, section 15, and the IANA registry).
// Owner: none. Thread: any.
// The phrase is for people who read the wire; no program may depend on it.
// A code that is not registered gets the phrase of its class.
// Source: RFC 9110; RFC 6585 (428, 429, 431); RFC 8297 (103); RFC 8470 (425).
#pragma once
#include <cstdint>
#include <string_view>

namespace banyan {

std::string_view reason(uint16_t status);

}  // namespace banyan
