// tenfold::Tokenizer on one text: construction, encoding, decoding, names and ids.
// Not here: pairs and windows (tokenizer_pairs.cpp), many texts (tokenizer_batch.cpp), files
// (tokenizer_files.cpp).
#include "tenfold/tokenizer.h"

#include <algorithm>
#include <utility>

#include "support/fail.h"
#include "text/tokenizer_core.h"

namespace tenfold {

namespace text {

LiteralFinder::LiteralFinder(std::vector<AddedToken> added) {
  std::sort(added.begin(), added.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  std::vector<std::pair<std::string_view, int32_t>> keys;
  for (const AddedToken& token : added) {
    if (!keys.empty() && keys.back().first == token.content) continue;
    keys.emplace_back(token.content, token.id);
    begins_[static_cast<uint8_t>(token.content[0])] = true;
  }
  trie_ = Trie(keys);
  if (std::count(begins_.begin(), begins_.end(), true) == 1) {
    only_byte_ =
        static_cast<int>(std::find(begins_.begin(), begins_.end(), true) - begins_.begin());
  }
}

namespace {

NormalizerOptions normalizer_of(const WordPieceOptions& options) {
  return {.clean_text = options.clean_text,
          .split_chinese = options.split_chinese,
          .strip_accents = options.strip_accents.value_or(options.lowercase),
          .lowercase = options.lowercase};
}

std::vector<AddedToken> not_special(std::vector<AddedToken> added) {
  std::erase_if(added, [](const AddedToken& token) { return token.special; });
  return added;
}

void replace_all(std::string& in, std::string_view what, std::string_view with) {
  for (size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + with.size())) {
    in.replace(at, what.size(), with);
  }
}

// The stock decoder's cleaning, which sees one token at a time with the blank before it.
void clean_token(std::string& token) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, with] : kRules) replace_all(token, what, with);
}

}  // namespace
}  // namespace text

Tokenizer::Impl::Impl(text::TokenizerParts given)
    : parts(std::move(given)),
      chars(text::normalizer_of(parts.options)),
      model(parts.tokens, parts.options.continuation, parts.options.unknown),
      all_literals(parts.added),
      plain_literals(text::not_special(parts.added)),
      special(parts.tokens.size(), 0),
      pad(model.find(parts.options.pad)),
      cls(model.find(parts.options.cls)),
      sep(model.find(parts.options.sep)),
      mask(model.find(parts.options.mask)) {
  require(parts.options.max_word_chars > 0, ErrorKind::config, "tokenizer",
          "max_word_chars must be > 0, got 0");
  for (const text::AddedToken& token : parts.added)
    special[static_cast<size_t>(token.id)] = token.special;
  for (const int32_t id : {pad, model.unknown(), cls, sep, mask}) {
    if (id >= 0) special[static_cast<size_t>(id)] = 1;
  }
}

void Tokenizer::Impl::append(std::string_view text, SpecialText literals, Encoding& out) const {
  pieces(text, literals, [&](int32_t id, uint32_t begin, uint32_t end, bool is_literal) {
    out.ids.push_back(id);
    out.begin.push_back(begin);
    out.end.push_back(end);
    out.special.push_back(is_literal);
  });
}

std::string Tokenizer::Impl::decode(std::span<const int32_t> ids, bool keep_special) const {
  std::string out, token;
  const std::string& continuation = parts.options.continuation;
  bool first = true;
  for (const int32_t id : ids) {
    require(id >= 0 && static_cast<size_t>(id) < parts.tokens.size(), ErrorKind::data, "tokenizer",
            "expected ids 0 to {}, got {}", parts.tokens.size() - 1, id);
    if (!keep_special && special[static_cast<size_t>(id)]) continue;
    token = parts.tokens[static_cast<size_t>(id)];
    if (!first) {
      if (token.starts_with(continuation)) {
        token.erase(0, continuation.size());
      } else {
        token.insert(token.begin(), ' ');
      }
    }
    text::clean_token(token);
    out += token;
    first = false;
  }
  return out;
}

Tokenizer Tokenizer::load(const std::filesystem::path& directory) {
  return Tokenizer(std::make_shared<const Impl>(text::read_tokenizer(directory)));
}

Tokenizer Tokenizer::wordpiece(std::vector<std::string> vocabulary, WordPieceOptions options) {
  return Tokenizer(std::make_shared<const Impl>(
      text::bare_vocabulary(std::move(vocabulary), std::move(options), text::Repeats::refuse)));
}

void Tokenizer::save(const std::filesystem::path& directory) const {
  text::write_tokenizer(impl_->parts, directory);
}

Encoding Tokenizer::encode(std::string_view text, SpecialText literals) const {
  Encoding out;
  impl_->append(text, literals, out);
  out.segments.assign(out.ids.size(), 0);
  return out;
}

void Tokenizer::encode_ids_into(std::string_view text, std::vector<int32_t>& ids,
                                SpecialText literals) const {
  impl_->pieces(text, literals, [&](int32_t id, uint32_t, uint32_t, bool) { ids.push_back(id); });
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  return impl_->decode(ids, true);
}
std::string Tokenizer::decode_without_special(std::span<const int32_t> ids) const {
  return impl_->decode(ids, false);
}

const std::string& Tokenizer::token(int32_t id) const {
  require(id >= 0 && id < size(), ErrorKind::data, "tokenizer",
          "expected an id from 0 to {}, got {}", size() - 1, id);
  return impl_->parts.tokens[static_cast<size_t>(id)];
}

std::optional<int32_t> Tokenizer::id(std::string_view token) const {
  const int32_t found = token.empty() ? -1 : impl_->model.find(token);
  return found < 0 ? std::nullopt : std::optional(found);
}

int32_t Tokenizer::size() const { return static_cast<int32_t>(impl_->parts.tokens.size()); }
int32_t Tokenizer::pad_id() const { return impl_->pad; }
int32_t Tokenizer::unknown_id() const { return impl_->model.unknown(); }
int32_t Tokenizer::cls_id() const { return impl_->cls; }
int32_t Tokenizer::sep_id() const { return impl_->sep; }
int32_t Tokenizer::mask_id() const { return impl_->mask; }
bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < size() && impl_->special[static_cast<size_t>(id)] != 0;
}
bool Tokenizer::is_continuation(int32_t id) const {
  const std::string& continuation = impl_->parts.options.continuation;
  return token(id).size() > continuation.size() && token(id).starts_with(continuation);
}
const WordPieceOptions& Tokenizer::options() const { return impl_->parts.options; }

}  // namespace tenfold
