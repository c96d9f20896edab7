// Configurations of transcripts: what a text leaves out is standard, so that a transcript tells
// only what it is about: a listener on 10.0.0.1:80, a service `origin` at 10.0.0.2:80, and a route
// to it. Owner: none. Thread: any.
#pragma once
#include <string>

#include "app/model.h"

namespace banyan::wire {

// Null when the text is not good; `wrong` says all that is wrong with it.
ModelPtr load(const std::string& text, std::string& wrong);

}  // namespace banyan::wire
