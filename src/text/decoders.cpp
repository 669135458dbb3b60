// One function a decoder, as the stock package defines it.
// Not here: SentencePiece's own decoding (sentencepiece.cpp).
#include "text/decoders.h"

#include <algorithm>

#include "text/byte_level.h"
#include "text/mapped_chars.h"

namespace tenfold::text {

namespace {

void replace_all(std::string& in, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  std::string out;
  size_t at = 0;
  for (size_t found; (found = in.find(what, at)) != std::string::npos; at = found + what.size()) {
    out.append(in, at, found - at);
    out += with;
  }
  if (at == 0) return;
  out.append(in, at);
  in = std::move(out);
}

// The stock decoder's cleaning, which sees one token at a time with the blank before it.
void clean_token(std::string& token) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, with] : kRules) replace_all(token, what, with);
}

// Bytes as text: U+FFFD for what is not UTF-8.
std::string legal_utf8(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size();) {
    const CodePoint c = decode_utf8(bytes, at);
    append_utf8(c.value, out);
    at += c.length;
  }
  return out;
}

void decode_byte_level(std::vector<std::string>& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += bytes_of_token(token).value_or(token);
  tokens = {legal_utf8(bytes)};
}

// Runs of <0x..> become the characters they spell, or one U+FFFD each.
void decode_byte_fallback(std::vector<std::string>& tokens) {
  std::vector<std::string> out;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (is_utf8(bytes)) {
      out.push_back(bytes);
    } else {
      out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
    }
    bytes.clear();
  };
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
  };
  for (const std::string& token : tokens) {
    const bool shape = token.size() == 6 && token.starts_with("<0x") && token.back() == '>';
    if (shape && digit(token[3]) >= 0 && digit(token[4]) >= 0) {
      bytes += static_cast<char>(digit(token[3]) * 16 + digit(token[4]));
      continue;
    }
    flush();
    out.push_back(token);
  }
  flush();
  tokens = std::move(out);
}

Decoder metaspace_decoder(const Block& block) {
  block.allow_keys(
      {"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  const std::string mark = block.text("replacement");
  if (code_points(mark).size() != 1) block.damaged("'replacement' must be one character");
  const bool prefixed = block.has("prepend_scheme") ? block.text("prepend_scheme") != "never"
                                                    : block.flag("add_prefix_space", true);
  return [=](std::vector<std::string>& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i)
      replace_all(tokens[i], mark, i == 0 && prefixed ? "" : " ");
  };
}

Decoder bpe_decoder(const Block& block) {
  block.allow_keys({"type", "suffix"});
  return [suffix = block.text("suffix", "</w>")](std::vector<std::string>& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i)
      replace_all(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
  };
}

Decoder replace_decoder(const Block& block) {
  block.allow_keys({"type", "pattern", "content"});
  const Block pattern = block.block("pattern");
  if (!pattern.has("String")) pattern.unsupported("of a decoder must be a String");
  pattern.allow_keys({"String"});
  return [what = pattern.text("String"),
          with = block.text("content")](std::vector<std::string>& tokens) {
    for (std::string& token : tokens) replace_all(token, what, with);
  };
}

Decoder strip_decoder(const Block& block) {
  block.allow_keys({"type", "content", "start", "stop"});
  const std::string content = block.text("content");
  if (code_points(content).size() != 1) block.damaged("'content' must be one character");
  const auto start = static_cast<size_t>(block.count("start", int64_t{1} << 31)),
             stop = static_cast<size_t>(block.count("stop", int64_t{1} << 31));
  return [=](std::vector<std::string>& tokens) {
    for (std::string& token : tokens) {
      for (size_t i = 0; i < start && token.starts_with(content); ++i)
        token.erase(0, content.size());
      for (size_t i = 0; i < stop && token.ends_with(content); ++i)
        token.resize(token.size() - content.size());
    }
  };
}

Decoder sequence_decoder(const Block& block) {
  block.allow_keys({"type", "decoders"});
  std::vector<Decoder> steps;
  const nlohmann::json& list = block.array("decoders");
  for (size_t i = 0; i < list.size(); ++i) steps.push_back(compile_decoder(block.item(list[i], i)));
  return [steps = std::move(steps)](std::vector<std::string>& tokens) {
    for (const Decoder& step : steps) step(tokens);
  };
}

Decoder wordpiece_decoder(const std::string& prefix, bool cleanup) {
  return [=](std::vector<std::string>& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0) {
        if (token.starts_with(prefix)) {
          token.erase(0, prefix.size());
        } else {
          token.insert(token.begin(), ' ');
        }
      }
      if (cleanup) clean_token(token);
    }
  };
}

}  // namespace

Decoder compile_decoder(const Block& block) {
  const std::string type = block.type();
  if (type == "Metaspace") return metaspace_decoder(block);
  if (type == "BPEDecoder") return bpe_decoder(block);
  if (type == "Replace") return replace_decoder(block);
  if (type == "Strip") return strip_decoder(block);
  if (type == "Sequence") return sequence_decoder(block);
  if (type == "WordPiece") {
    block.allow_keys({"type", "prefix", "cleanup"});
    return wordpiece_decoder(block.text("prefix", "##"), block.flag("cleanup", true));
  }
  if (type == "ByteLevel") {
    block.allow_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return decode_byte_level;
  }
  Decoder plain;
  if (type == "ByteFallback") plain = decode_byte_fallback;
  if (type == "Fuse") {
    plain = [](std::vector<std::string>& tokens) {
      std::string all;
      for (const std::string& token : tokens) all += token;
      tokens = {all};
    };
  }
  if (!plain) block.unsupported("is of the unknown type '{}'", type);
  block.allow_keys({"type"});
  return plain;
}

}  // namespace tenfold::text
