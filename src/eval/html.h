// Text made safe for HTML, for the report's files.
// Not here: pages (report.h).
#pragma once

#include <string>
#include <string_view>

namespace tenfold::eval {

/// & < > " ' as character references: fit for element text and for quoted attributes.
std::string html_escaped(std::string_view text);

}  // namespace tenfold::eval
