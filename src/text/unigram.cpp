// Viterbi over the bytes of a text, left to right, one node a byte.
// Not here: byte fallback and joining unknown pieces, which their callers do.
#include "text/unigram.h"

#include <algorithm>
#include <limits>

#include "text/utf8.h"

namespace tenfold::text {

namespace {
constexpr double kUnknownPenalty = 10.0;  // below the lowest score
constexpr uint32_t kNowhere = UINT32_MAX;

// Above what any other cut has, in log probabilities; measured on sentencepiece 0.2.3, whatever
// score the model gives such a piece.
template <typename Number>
Number user_defined_score(size_t bytes) {
  return static_cast<Number>(0.1 * static_cast<double>(bytes - 1));
}
}  // namespace

template <typename Number>
Unigram<Number>::Unigram(const std::vector<std::string>& tokens, const std::vector<Number>& scores,
                         const std::vector<PieceKind>& kinds, int32_t unknown)
    : names_(trie_of(tokens)),
      scores_(scores),
      user_defined_(tokens.size(), false),
      unknown_(unknown) {
  std::vector<std::string> pieces(tokens.size());
  Number lowest = std::numeric_limits<Number>::max();
  scores_.resize(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const PieceKind kind = kinds.empty() ? PieceKind::normal : kinds[i];
    if (kind == PieceKind::normal && (!kinds.empty() || i < scores.size()))
      lowest = std::min(lowest, scores_[i]);
    user_defined_[i] = kind == PieceKind::user_defined;
    if (kind == PieceKind::normal || user_defined_[i]) pieces[i] = tokens[i];
    if (kinds.empty() && i >= scores.size()) pieces[i].clear();  // an added token
  }
  pieces_ = trie_of(pieces);
  if (lowest == std::numeric_limits<Number>::max()) lowest = 0;
  unknown_score_ = static_cast<Number>(lowest - kUnknownPenalty);
}

template <typename Number>
void Unigram<Number>::cut(std::string_view text, Scratch& scratch) const {
  auto& best = scratch.best;
  auto& pieces = scratch.pieces;
  pieces.clear();
  best.assign(text.size() + 1, {0, -1, kNowhere});
  for (size_t at = 0; at < text.size();) {
    const size_t char_length = decode_utf8(text, at).length;
    const Number here = best[at].score;
    bool has_single = false;
    const auto offer = [&](size_t end, Number score, int32_t id) {
      auto& node = best[end];
      const Number total = score + here;
      if (node.from == kNowhere || total > node.score)
        node = {total, id, static_cast<uint32_t>(at)};
    };
    pieces_.prefixes(text.data() + at, text.size() - at, [&](int32_t id, size_t length) {
      const auto i = static_cast<size_t>(id);
      offer(at + length, user_defined_[i] ? user_defined_score<Number>(length) : scores_[i], id);
      has_single = has_single || length == char_length;
    });
    if (!has_single) offer(at + char_length, unknown_score_, unknown_);
    at += char_length;
  }
  for (size_t end = text.size(); end > 0;) {
    const auto& node = best[end];
    pieces.push_back({node.id, node.from, static_cast<uint32_t>(end)});
    end = node.from;
  }
  std::reverse(pieces.begin(), pieces.end());
}

template class Unigram<float>;
template class Unigram<double>;

}  // namespace tenfold::text
