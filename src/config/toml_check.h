// A look at TOML text before it is parsed, for what the parser does not stand.
// Not here: parsing (document.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tenfold::config {

/// Where a text breaks a rule and which one; an empty rule: nowhere.
struct TomlFault {
  int64_t line = 0, column = 0;  ///< from 1, in characters
  std::string rule;
};

/// What toml++ 3.3 does not stand, outside of texts and comments:
/// - characters beyond ASCII (it runs into an unreachable place at letters such as U+0409), also
///   where quotes begin inside of a word, which it reads on, and behind a backslash of a text;
/// - dates without a time (it takes for granted that a digit follows the T of 2026-01-01T) and
///   headers without a name (the same for `[`), and brackets closed by those of another kind;
/// - a quote, bracket, = or , where none belongs, and a word behind a value: it reads on through
///   what follows;
/// - more than 32 dots between two of = , [ ] { }: keys of thousands of parts nest tables so deep
///   that taking them apart runs out of stack.
TomlFault toml_fault(std::string_view text);

}  // namespace tenfold::config
