// Building the two tries of a WordPiece vocabulary.
// Not here: cutting words, a template (wordpiece.h).
#include "text/wordpiece.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "support/fail.h"

namespace tenfold::text {
namespace {

using Key = std::pair<std::string_view, int32_t>;

Trie sorted_trie(std::vector<Key> keys) {
  std::sort(keys.begin(), keys.end());
  std::vector<Key> last;  // of the ids of one token the highest counts
  for (const Key& key : keys) {
    if (!last.empty() && last.back().first == key.first) last.pop_back();
    last.push_back(key);
  }
  return Trie(last);
}

}  // namespace

WordPiece::WordPiece(const std::vector<std::string>& tokens, const std::string& continuation,
                     const std::string& unknown) {
  std::vector<Key> first, later;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    if (token.empty()) continue;
    const auto id = static_cast<int32_t>(i);
    first.emplace_back(token, id);
    if (token.size() > continuation.size() && token.starts_with(continuation)) {
      later.emplace_back(token.substr(continuation.size()), id);
    }
  }
  first_ = sorted_trie(std::move(first));
  later_ = sorted_trie(std::move(later));
  unknown_ = first_.find(unknown);
  require(unknown_ >= 0, ErrorKind::checkpoint, "vocabulary",
          "no unknown token '{}' among its {} tokens", unknown, tokens.size());
}

}  // namespace tenfold::text
