// The protobuf wire format (varints, fixed words, lengths) and the numbers of the fields that are
// used (sentencepiece_model.proto, Apache-2.0). Not here: any other message.
#include "text/sentencepiece_model.h"

#include <bit>
#include <cmath>

#include "support/fail.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

namespace tenfold::text {

namespace {

// One field of a message.
struct Field {
  uint32_t number;
  uint64_t value;          // of a varint or a fixed word
  std::string_view bytes;  // of a length-delimited field
};

class Message {
 public:
  Message(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  [[noreturn]] void damaged(std::string_view what) const {
    fail(ErrorKind::checkpoint, "sentencepiece", "{} is no SentencePiece model: {}", file_, what);
  }

  template <typename OnField>
  void each(OnField&& on_field) {
    while (at_ < bytes_.size()) on_field(next());
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) damaged("it is cut off");
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    damaged("a number has more than 64 bits");
  }
  std::string_view take(uint64_t size) {
    if (size > bytes_.size() - at_) damaged("it is cut off");
    const std::string_view out = bytes_.substr(at_, size);
    at_ += size;
    return out;
  }
  uint64_t fixed(size_t size) {
    const std::string_view bytes = take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << 8 * i;
    return value;
  }
  Field next() {
    const uint64_t key = varint();
    if (key >> 3 == 0 || key >> 3 > UINT32_MAX) damaged("a field has an impossible number");
    Field field{static_cast<uint32_t>(key >> 3), 0, {}};
    switch (key & 7) {
      case 0: field.value = varint(); break;
      case 1: field.value = fixed(8); break;
      case 2: field.bytes = take(varint()); break;
      case 5: field.value = fixed(4); break;
      default: damaged("a field has an unknown wire type");
    }
    return field;
  }

  std::string_view bytes_;
  const std::string& file_;
  size_t at_ = 0;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& file) : file_(file), root_(bytes, file) {}

  SentencePieceModel read() {
    root_.each([&](const Field& field) {
      if (field.number == 1) read_piece(field.bytes);
      if (field.number == 2) read_trainer(field.bytes);
      if (field.number == 3) read_normalizer(field.bytes);
      if (field.number == 5 && !field.bytes.empty()) refuse_denormalizer(field.bytes);
    });
    check();
    return std::move(out_);
  }

 private:
  void read_piece(std::string_view bytes) {
    if (out_.pieces.size() >= kMaxTokens)
      root_.damaged(fmt::format("it has more than {} pieces", kMaxTokens));
    std::string text;
    float score = 0;
    uint64_t kind = 1;
    Message(bytes, file_).each([&](const Field& field) {
      if (field.number == 1) text = field.bytes;
      if (field.number == 2) score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
      if (field.number == 3) kind = field.value;
    });
    const size_t id = out_.pieces.size();
    if (text.empty() || text.size() > kLongestToken || !is_utf8(text))
      root_.damaged(
          fmt::format("piece {} is empty, longer than {} bytes or not UTF-8", id, kLongestToken));
    if (!std::isfinite(score)) root_.damaged(fmt::format("piece {} has no finite score", id));
    if (kind < 1 || kind > 6) root_.damaged(fmt::format("piece {} has the kind {}", id, kind));
    out_.pieces.push_back(std::move(text));
    out_.scores.push_back(score);
    out_.kinds.push_back(static_cast<PieceKind>(kind));
  }

  void read_trainer(std::string_view bytes) {
    Message(bytes, file_).each([&](const Field& field) {
      const auto number = static_cast<int32_t>(field.value);
      switch (field.number) {
        case 3: model_type_ = field.value; break;
        case 24: out_.whitespace_as_suffix = field.value != 0; break;
        case 35: out_.byte_fallback = field.value != 0; break;
        case 41: out_.bos = number; break;
        case 42: out_.eos = number; break;
        case 43: out_.pad = number; break;
        case 44: out_.unknown_surface = field.bytes; break;
        default: break;
      }
    });
  }

  void read_normalizer(std::string_view bytes) {
    Message(bytes, file_).each([&](const Field& field) {
      switch (field.number) {
        case 2: out_.charsmap_bytes = field.bytes; break;
        case 3: out_.add_dummy_prefix = field.value != 0; break;
        case 4: out_.remove_extra_whitespaces = field.value != 0; break;
        case 5: out_.escape_whitespaces = field.value != 0; break;
        default: break;
      }
    });
  }

  void refuse_denormalizer(std::string_view bytes) {
    Message(bytes, file_).each([&](const Field& field) {
      require(field.number != 2 || field.bytes.empty(), ErrorKind::unsupported, "sentencepiece",
              "{} has a denormalizer, which is not supported", file_);
    });
  }

  void check() {
    if (out_.pieces.empty()) root_.damaged("it has no pieces");
    require(model_type_ == 1 || model_type_ == 2, ErrorKind::unsupported, "sentencepiece",
            "{} is a model of type {}; unigram (1) and BPE (2) are what is supported", file_,
            model_type_);
    out_.is_bpe = model_type_ == 2;
    out_.unknown = -1;
    for (size_t i = 0; i < out_.kinds.size(); ++i) {
      if (out_.kinds[i] != PieceKind::unknown) continue;
      if (out_.unknown >= 0) root_.damaged("it has two unknown pieces");
      out_.unknown = static_cast<int32_t>(i);
    }
    if (out_.unknown < 0) root_.damaged("it has no unknown piece");
    for (int32_t* id : {&out_.bos, &out_.eos, &out_.pad}) {
      const bool there = *id >= 0 && static_cast<size_t>(*id) < out_.pieces.size() &&
                         out_.kinds[static_cast<size_t>(*id)] == PieceKind::control;
      if (!there) *id = -1;
    }
    if (!out_.escape_whitespaces)
      fail(ErrorKind::unsupported, "sentencepiece",
           "{} leaves blanks as they are (escape_whitespaces off), which is not supported", file_);
    const auto map = CharsMap::parse(out_.charsmap_bytes);
    if (!map) root_.damaged("its character map is broken");
    out_.charsmap = *map;
  }

  const std::string& file_;
  Message root_;
  SentencePieceModel out_;
  uint64_t model_type_ = 1;
};

}  // namespace

SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& file) {
  return Reader(bytes, file).read();
}

}  // namespace tenfold::text
