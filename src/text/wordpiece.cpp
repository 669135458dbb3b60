// Building the two tries of a WordPiece vocabulary.
// Not here: cutting words, a template (wordpiece.h).
#include "text/wordpiece.h"

#include <string_view>
#include <utility>

#include "support/fail.h"

namespace tenfold::text {
WordPiece::WordPiece(const std::vector<std::string>& tokens, const std::string& continuation,
                     const std::string& unknown) {
  std::vector<std::pair<std::string_view, int32_t>> first, later;
  first.reserve(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    if (token.empty()) continue;
    const auto id = static_cast<int32_t>(i);
    first.emplace_back(token, id);
    if (token.size() > continuation.size() && token.starts_with(continuation)) {
      later.emplace_back(token.substr(continuation.size()), id);
    }
  }
  first_ = trie_of(std::move(first));
  later_ = trie_of(std::move(later));
  unknown_ = first_.find(unknown);
  require(unknown_ >= 0, ErrorKind::checkpoint, "vocabulary",
          "no unknown token '{}' among its {} tokens", unknown, tokens.size());
}

}  // namespace tenfold::text
