// A SentencePiece model file (a protobuf message ModelProto), read by hand: pieces and the settings
// that encoding needs. Not here: encoding (sentencepiece.h); the library's own reader trusts its
// bytes, this one does not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/charsmap.h"
#include "text/unigram.h"

namespace tenfold::text {

struct SentencePieceModel {
  std::vector<std::string> pieces;
  std::vector<float> scores;
  std::vector<PieceKind> kinds;

  bool is_bpe = false;  ///< else unigram
  bool byte_fallback = false;
  int32_t unknown = 0;  ///< id; from the pieces' kinds
  int32_t bos = 1, eos = 2, pad = -1;
  std::string unknown_surface = " \xE2\x81\x87 ";  ///< what an unknown piece decodes to

  std::string charsmap_bytes;
  CharsMap charsmap;
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
  bool whitespace_as_suffix = false;
};

/// Error (checkpoint) for damage and for files of more pieces than kMaxTokens, (unsupported) for
/// models of words or characters and for denormalizers.
SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& file);

}  // namespace tenfold::text
