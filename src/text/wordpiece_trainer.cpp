// Merging the most frequent pair again and again, with pair counts kept up to date word by word.
// Not here: counting words (word_counter.cpp).
#include "text/wordpiece_trainer.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>

#include "support/fail.h"
#include "text/utf8.h"

namespace tenfold::text {
namespace {

class Merger {
 public:
  Merger(const WordCounts& words, const WordPieceTrainerOptions& options) : options_(options) {
    for (const std::string& token : options.special_tokens) add_token(token);
    make_alphabet(words);
    cut_words(words);
  }

  TrainedMerges run() {
    count_pairs();
    while (tokens_.size() < options_.size && !heap_.empty()) {
      const Candidate best = heap_.top();
      heap_.pop();
      const uint64_t count = pairs_[best.pair].count;
      if (count == 0) continue;
      if (count != best.count) {
        heap_.push({count, best.pair});
        continue;
      }
      if (count < options_.min_frequency) break;
      merge(best.pair);
    }
    return {std::move(tokens_), std::move(merges_)};
  }

 private:
  using Pair = uint64_t;  // left id << 32 | right id

  struct Record {
    uint64_t count = 0;
    std::vector<uint32_t> words;  // where the pair was seen; some may have lost it since
  };
  struct Candidate {
    uint64_t count;
    Pair pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };
  struct PairHash {
    size_t operator()(Pair pair) const {
      const uint64_t mixed = pair * 0x9E3779B97F4A7C15ULL;
      return mixed ^ mixed >> 32;
    }
  };

  static Pair pair_of(int32_t left, int32_t right) {
    return static_cast<Pair>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }

  int32_t add_token(const std::string& token) {
    const auto [found, is_new] = ids_.try_emplace(token, static_cast<int32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(token);
    return found->second;
  }

  // Numbers the kept characters: all as word beginnings, those seen inside words as continuations
  // too.
  void make_alphabet(const WordCounts& words) {
    std::map<std::string, uint64_t> seen;
    std::set<std::string> inside;
    for (const auto& [word, count] : words) {
      for (size_t at = 0; at < word.size();) {
        const size_t length = decode_utf8(word, at).length;
        const std::string c = word.substr(at, length);
        seen[c] += count;
        if (at > 0) inside.insert(c);
        at += length;
      }
    }
    if (!options_.alphabet.empty()) {
      for (const std::string& c : options_.alphabet) add_token(c);
      return need_room();
    }
    std::vector<std::pair<std::string, uint64_t>> ranked(seen.begin(), seen.end());
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    if (ranked.size() > options_.limit_alphabet) ranked.resize(options_.limit_alphabet);
    std::sort(ranked.begin(), ranked.end());  // UTF-8 sorts by code point
    for (const auto& [c, count] : ranked) add_token(c);
    for (const auto& [c, count] : ranked) {
      if (inside.contains(c)) add_token(options_.continuation + c);
    }
    need_room();
  }

  void need_room() const {
    require(tokens_.size() <= options_.size, ErrorKind::config, "vocabulary",
            "size {} is too small: special tokens and alphabet alone are {}; ask for more, or "
            "limit the alphabet",
            options_.size, tokens_.size());
  }

  void cut_words(const WordCounts& words) {
    std::vector<int32_t> pieces;
    for (const auto& [word, count] : words) {
      pieces.clear();
      bool known = true;
      for (size_t at = 0; at < word.size() && known;) {
        const size_t length = decode_utf8(word, at).length;
        const auto id = ids_.find((at == 0 ? "" : options_.continuation) + word.substr(at, length));
        known = id != ids_.end();
        if (known) pieces.push_back(id->second);
        at += length;
      }
      if (known && pieces.size() > 1) words_.push_back({pieces, count});
    }
  }

  void count_pairs() {
    for (uint32_t w = 0; w < words_.size(); ++w) {
      const auto& [pieces, count] = words_[w];
      for (size_t i = 1; i < pieces.size(); ++i) gain(pair_of(pieces[i - 1], pieces[i]), count, w);
    }
    for (const auto& [pair, record] : pairs_) heap_.push({record.count, pair});
  }

  void gain(Pair pair, uint64_t count, uint32_t word) {
    Record& record = pairs_[pair];
    record.count += count;
    if (record.words.empty() || record.words.back() != word) record.words.push_back(word);
  }

  void lose(Pair pair, uint64_t count) {
    const auto found = pairs_.find(pair);
    if (found != pairs_.end()) found->second.count -= std::min(count, found->second.count);
  }

  void merge(Pair pair) {
    const auto left = static_cast<int32_t>(pair >> 32),
               right = static_cast<int32_t>(pair & 0xFFFFFFFF);
    const std::string name =
        tokens_[static_cast<size_t>(left)] +
        tokens_[static_cast<size_t>(right)].substr(options_.continuation.size());
    if (std::find(options_.special_tokens.begin(), options_.special_tokens.end(), name) !=
        options_.special_tokens.end()) {
      pairs_[pair] = {};
      return;
    }
    merges_.push_back(tokens_[static_cast<size_t>(left)] + " " +
                      tokens_[static_cast<size_t>(right)]);
    const int32_t joined = add_token(name);
    const std::vector<uint32_t> where = std::move(pairs_[pair].words);
    pairs_[pair] = {};
    grown_.clear();
    for (const uint32_t w : where) merge_in_word(w, left, right, joined);
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (const Pair changed : grown_) heap_.push({pairs_[changed].count, changed});
  }

  void merge_in_word(uint32_t w, int32_t left, int32_t right, int32_t joined) {
    auto& [pieces, count] = words_[w];
    size_t kept = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (i + 1 == pieces.size() || pieces[i] != left || pieces[i + 1] != right) {
        pieces[kept++] = pieces[i];
        continue;
      }
      if (kept > 0) {
        lose(pair_of(pieces[kept - 1], left), count);
        grow(pair_of(pieces[kept - 1], joined), count, w);
      }
      if (i + 2 < pieces.size()) {
        lose(pair_of(right, pieces[i + 2]), count);
        grow(pair_of(joined, pieces[i + 2]), count, w);
      }
      pieces[kept++] = joined;
      ++i;
    }
    pieces.resize(kept);
  }

  void grow(Pair pair, uint64_t count, uint32_t word) {
    gain(pair, count, word);
    grown_.push_back(pair);
  }

  const WordPieceTrainerOptions& options_;
  std::vector<std::string> tokens_, merges_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<std::pair<std::vector<int32_t>, uint64_t>> words_;
  std::unordered_map<Pair, Record, PairHash> pairs_;
  std::priority_queue<Candidate> heap_;
  std::vector<Pair> grown_;
};

}  // namespace

std::vector<std::string> train_wordpiece(const WordCounts& words,
                                         const WordPieceTrainerOptions& options) {
  return train_merges(words, options).tokens;
}

TrainedMerges train_merges(const WordCounts& words, const WordPieceTrainerOptions& options) {
  require(!words.empty(), ErrorKind::data, "vocabulary", "the corpus is empty: it holds no words");
  return Merger(words, options).run();
}

}  // namespace tenfold::text
