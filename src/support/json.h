// Parsing JSON that nobody vouches for: depth, memory and time are bounded, no key stands twice.
// Not here: what the values mean, and writing.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tenfold/error.h"

namespace tenfold {

struct JsonLimits {
  size_t depth = 64;                 ///< of nested objects and lists
  uint64_t memory = 40 << 20;        ///< of the parsed values, in bytes
  uint64_t longest_token = 1 << 20;  ///< of one text, number or run of blanks, in bytes
};

/// For one row of JSON lines: a document may be one long text.
inline constexpr JsonLimits kRowLimits{.depth = 64, .memory = 24 << 20, .longest_token = 8 << 20};

/// Takes the members of the object at `path` one by one, in place of storing them: the object comes
/// out empty. Lists and objects among them arrive empty. A key may come twice.
struct JsonMembers {
  std::vector<std::string> path;
  std::function<void(std::string& key, const nlohmann::json& value)> take;
};

/// Takes the values at `path` one after another, whole, in place of storing them: a text of any
/// length is read in the memory of its largest item. A step of the path is a key of an object, or
/// "*" for every key of an object and every place of a list; {"*"} are the members of the root.
struct JsonItems {
  std::vector<std::string> path;
  /// The last key ("*" in a list), the value, and the line of the text on which it ends.
  std::function<void(const std::string& key, nlohmann::json&& value, int64_t line)> take;
};

/// A value, or why there is none: "is not JSON (cut off or damaged) at byte 7".
struct JsonResult {
  nlohmann::json value;
  std::string fault;  ///< empty: none
};

/// As parse_json, for callers that go on after bad JSON. Throws only what `members` throws.
JsonResult try_parse_json(std::string_view text, const JsonLimits& limits = {},
                          const JsonMembers& members = {});

/// The value of `text`, in time linear in its length. Error{kind, where}: "NAME is not JSON (cut
/// off or damaged) at byte N", or the limit that was passed, or the key that stands twice in an
/// object.
nlohmann::json parse_json(std::string_view text, const std::string& name, ErrorKind kind,
                          std::string_view where, const JsonLimits& limits = {},
                          const JsonMembers& members = {});

/// Gives the items of a text that comes in pieces (an empty piece: the end); an item inside another
/// one is taken first, and the outer one arrives without it. limits.memory is that of the values
/// held at one time. Error{kind, where} as parse_json, and what `take` throws.
void parse_json_items(const std::function<std::string_view()>& next_piece, const std::string& name,
                      ErrorKind kind, std::string_view where, const JsonLimits& limits,
                      const std::vector<JsonItems>& items);

/// Bytes of the longest text, number or run of blanks in JSON, found without parsing: a parser
/// holds a whole one before it gives it away.
uint64_t longest_json_token(std::string_view text);

}  // namespace tenfold
