// What is put around one text or two, and which blanks the offsets of byte-level pieces leave out.
// Not here: truncation (tokenizer_pairs.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "text/json_block.h"

namespace tenfold::text {

/// A place in a template: a special token or a text.
struct TemplateStep {
  enum class Kind : uint8_t { special, first_text, second_text };
  Kind kind;
  int32_t id;  // of the special token
  uint8_t segment;
};

struct PostProcessor {
  std::vector<TemplateStep> single, pair;
  bool trims = false;  ///< offsets leave the blanks at both ends of a piece out

  size_t added_to_single() const { return single.size() - 1; }
  size_t added_to_pair() const { return pair.size() - 2; }
  /// The special token that opens a single text, and the one that closes it; -1: none.
  int32_t cls() const;
  int32_t sep() const;
};

/// Of a post_processor block, `num_tokens` ids being known. Errors: checkpoint for damage,
/// unsupported naming what is not understood.
PostProcessor compile_post_processor(const Block& block, size_t num_tokens);

/// The block of [CLS] A [SEP] B [SEP], or of <s> A </s> </s> B </s>, as the stock library writes
/// it.
nlohmann::json bert_template(const std::string& cls, int32_t cls_id, const std::string& sep,
                             int32_t sep_id);
nlohmann::json roberta_processing(const std::string& cls, int32_t cls_id, const std::string& sep,
                                  int32_t sep_id);
/// A, and A B, followed by `end` each where it is not empty; B has segment `second`.
nlohmann::json ending_template(const std::string& end, int32_t end_id, int second);

}  // namespace tenfold::text
