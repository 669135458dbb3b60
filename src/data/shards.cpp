// The shard file: a fixed header, the end of each document, the tokens.
// Not here: rows for training.
#include "data/shards.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "support/checksum.h"
#include "support/fail.h"
#include "support/json.h"

namespace tenfold::data {

constexpr std::array<char, 8> kShardMagic = {'T', 'F', 'S', 'H', 'A', 'R', 'D', '1'};

/// Little-endian, 64 bytes; `checksum` covers everything after the header.
struct ShardHeader {
  std::array<char, 8> magic = kShardMagic;
  uint32_t token_bytes = 4;
  uint32_t reserved = 0;
  uint64_t documents = 0;
  uint64_t tokens = 0;
  uint64_t fingerprint = 0;
  uint64_t checksum = 0;
  std::array<uint64_t, 2> unused{};
};
static_assert(sizeof(ShardHeader) == 64);

namespace {

constexpr const char* kIndex = "shards.json";
constexpr uint64_t kLargestIndex = 64 << 20;

nlohmann::json read_index(const std::filesystem::path& folder) {
  const auto path = folder / kIndex;
  require(std::filesystem::exists(path), ErrorKind::data, "shards",
          "{} holds no {}: make it with 'tenfold prepare'", folder.string(), kIndex);
  auto parsed =
      parse_json(read_file(path, kLargestIndex), path.string(), ErrorKind::data, "shards");
  require(parsed.is_object(), ErrorKind::data, "shards", "{} is no JSON object", path.string());
  return parsed;
}

template <typename T>
T index_value(const nlohmann::json& index, const char* key, const std::filesystem::path& folder) {
  try {
    const nlohmann::json& value = index.at(key);
    // A fraction or a truth value would turn into some number.
    if (!std::is_same_v<T, uint64_t> && !std::is_same_v<T, int64_t>) return value.get<T>();
    if (value.is_number_unsigned() && value.get<uint64_t>() <= INT64_MAX) return value.get<T>();
    if (std::is_same_v<T, uint64_t> && value.is_number_unsigned()) return value.get<T>();
    fail(ErrorKind::data, "shards", "{}: {} must be a whole number from 0",
         (folder / kIndex).string(), key);
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::data, "shards", "{}: {} is missing or has the wrong type",
         (folder / kIndex).string(), key);
  }
}

}  // namespace

uint64_t fingerprint(const Tokenizer& tokenizer) {
  std::string all;
  for (int32_t id = 0; id < tokenizer.size(); ++id) all += tokenizer.token(id) + '\n';
  all += tokenizer.rules();
  return xxh3_64(as_bytes(all));
}

ShardWriter::ShardWriter(std::filesystem::path out, const Tokenizer& tokenizer,
                         uint64_t shard_tokens)
    : out_(std::move(out)),
      fingerprint_(fingerprint(tokenizer)),
      shard_tokens_(shard_tokens),
      vocabulary_(tokenizer.size()) {
  tenfold::create_directories(out_);
  if (!std::filesystem::exists(out_ / kIndex)) {
    tokenizer.save(out_ / "tokenizer");
    return;
  }
  const nlohmann::json index = read_index(out_);
  require(index_value<uint64_t>(index, "fingerprint", out_) == fingerprint_, ErrorKind::data,
          "shards", "{} was begun with another vocabulary: choose another folder", out_.string());
  require(!index_value<bool>(index, "complete", out_), ErrorKind::data, "shards",
          "{} holds finished shards: choose another folder", out_.string());
  documents_ = index_value<int64_t>(index, "documents", out_);
  tokens_ = index_value<uint64_t>(index, "tokens", out_);
  files_ = index_value<std::vector<std::string>>(index, "files", out_);
  if (index.contains("reading")) kept_point_ = index["reading"].dump();
}

void ShardWriter::add(std::span<const int32_t> ids) {
  ++pending_documents_;
  if (!ids.empty()) {
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    ends_.push_back(ids_.size());
  }
  if (ids_.size() >= shard_tokens_) {
    write_shard();
    write_index(false);
  }
}

void ShardWriter::finish() {
  require(tokens() > 0, ErrorKind::data, "prepare",
          "the corpus is empty: no document gave a token");
  if (!ids_.empty()) write_shard();
  documents_ += pending_documents_;
  pending_documents_ = 0;
  write_index(true);
}

void ShardWriter::write_shard() {
  ShardHeader header;
  header.token_bytes = vocabulary_ <= 65536 ? 2 : 4;
  header.documents = ends_.size();
  header.tokens = ids_.size();
  header.fingerprint = fingerprint_;
  std::string body(ends_.size() * 8 + ids_.size() * header.token_bytes, '\0');
  std::memcpy(body.data(), ends_.data(), ends_.size() * 8);
  char* tokens = body.data() + ends_.size() * 8;
  if (header.token_bytes == 4) {
    std::memcpy(tokens, ids_.data(), ids_.size() * 4);
  } else {
    for (size_t i = 0; i < ids_.size(); ++i) {
      const auto narrow = static_cast<uint16_t>(ids_[i]);
      std::memcpy(tokens + 2 * i, &narrow, 2);
    }
  }
  header.checksum = xxh3_64(as_bytes(body));
  const std::string name = fmt::format("shard-{:05}.bin", files_.size());
  AtomicFile file(out_ / name);
  file.write(std::as_bytes(std::span(&header, 1)));
  file.write(body);
  file.commit();
  files_.push_back(name);
  documents_ += pending_documents_;
  tokens_ += ids_.size();
  pending_documents_ = 0;
  ids_.clear();
  ends_.clear();
}

void ShardWriter::write_index(bool complete) {
  nlohmann::ordered_json index{
      {"format", 1},       {"complete", complete},      {"documents", documents_},
      {"tokens", tokens_}, {"vocabulary", vocabulary_}, {"fingerprint", fingerprint_},
      {"files", files_}};
  if (!complete && point_) index["reading"] = nlohmann::ordered_json::parse(point_());
  write_file_atomically(out_ / kIndex, index.dump(2) + "\n");
}

struct ShardSet::Shard {
  explicit Shard(const std::filesystem::path& path) : file(path) {}
  MappedFile file;
  ShardHeader header;

  uint64_t end_of(int64_t document) const {  // in tokens; document -1: 0
    uint64_t end = 0;
    if (document >= 0) {
      std::memcpy(
          &end, file.bytes().data() + sizeof(ShardHeader) + 8 * static_cast<uint64_t>(document), 8);
    }
    return end;
  }
  const std::byte* tokens() const {
    return file.bytes().data() + sizeof(ShardHeader) + 8 * header.documents;
  }
};

ShardSet ShardSet::open(const std::filesystem::path& folder, Verify verify) {
  const nlohmann::json index = read_index(folder);
  require(index_value<bool>(index, "complete", folder), ErrorKind::data, "shards",
          "{} is not finished: run the same 'tenfold prepare' again", folder.string());
  ShardSet set;
  set.vocabulary_ = index_value<int64_t>(index, "vocabulary", folder);
  set.fingerprint_ = index_value<uint64_t>(index, "fingerprint", folder);
  set.first_document_ = {0};
  for (const std::string& name : index_value<std::vector<std::string>>(index, "files", folder)) {
    require(name.find('/') == std::string::npos, ErrorKind::data, "shards",
            "{}: the file '{}' lies outside", folder.string(), name);
    auto shard = std::make_shared<Shard>(folder / name);
    const auto bytes = shard->file.bytes();
    ShardHeader& h = shard->header;
    require(bytes.size() >= sizeof h, ErrorKind::data, "shards", "{}: {} bytes, a header has {}",
            name, bytes.size(), sizeof h);
    std::memcpy(&h, bytes.data(), sizeof h);
    require(h.magic == kShardMagic && (h.token_bytes == 2 || h.token_bytes == 4), ErrorKind::data,
            "shards", "{}: no shard (bytes 0..12)", name);
    const uint64_t limit = bytes.size();
    require(h.documents <= limit && h.tokens <= limit &&
                sizeof h + 8 * h.documents + h.token_bytes * h.tokens == limit,
            ErrorKind::data, "shards",
            "{}: {} bytes do not hold {} documents of {} tokens in all (cut off?)", name, limit,
            h.documents, h.tokens);
    require(h.fingerprint == set.fingerprint_, ErrorKind::data, "shards",
            "{}: made with another vocabulary", name);
    require(verify == Verify::sizes || xxh3_64(bytes.subspan(sizeof h)) == h.checksum,
            ErrorKind::data, "shards",
            "{}: the checksum of bytes {}.. does not hold: the file is damaged", name, sizeof h);
    uint64_t last = 0;
    for (uint64_t d = 0; d < h.documents; ++d) {
      const uint64_t end = shard->end_of(static_cast<int64_t>(d));
      require(end > last && end <= h.tokens, ErrorKind::data, "shards",
              "{}: document {} ends at token {} (offset {}), after {} of {}", name, d, end,
              sizeof h + 8 * d, last, h.tokens);
      last = end;
    }
    require(last == h.tokens, ErrorKind::data, "shards",
            "{}: {} tokens after the last document (offset {})", name, h.tokens - last,
            sizeof h + 8 * h.documents + h.token_bytes * last);
    set.first_document_.push_back(set.first_document_.back() + static_cast<int64_t>(h.documents));
    set.shards_.push_back(std::move(shard));
  }
  require(set.documents() > 0, ErrorKind::data, "shards", "{} holds no documents", folder.string());
  const auto tokens = index_value<uint64_t>(index, "tokens", folder);
  const auto documents = index_value<int64_t>(index, "documents", folder);
  require(tokens == set.tokens() && documents >= set.documents(), ErrorKind::data, "shards",
          "{}: {} documents of {} tokens in all, but the files hold {} of {}",
          (folder / kIndex).string(), documents, tokens, set.documents(), set.tokens());
  return set;
}

int64_t ShardSet::documents() const { return first_document_.back(); }

uint64_t ShardSet::tokens() const {
  uint64_t tokens = 0;
  for (const auto& shard : shards_) tokens += shard->header.tokens;
  return tokens;
}

std::pair<const ShardSet::Shard*, int64_t> ShardSet::find(int64_t document) const {
  const auto after = std::upper_bound(first_document_.begin(), first_document_.end(), document);
  const auto i = static_cast<size_t>(after - first_document_.begin()) - 1;
  return {shards_[i].get(), document - first_document_[i]};
}

int64_t ShardSet::length(int64_t document) const {
  const auto [shard, local] = find(document);
  return static_cast<int64_t>(shard->end_of(local) - shard->end_of(local - 1));
}

void ShardSet::read(int64_t document, int64_t begin, int64_t end, std::vector<int32_t>& ids) const {
  const auto [shard, local] = find(document);
  const uint64_t first = shard->end_of(local - 1) + static_cast<uint64_t>(begin);
  for (uint64_t i = first; i < first + static_cast<uint64_t>(end - begin); ++i) {
    int32_t id = 0;
    std::memcpy(&id, shard->tokens() + i * shard->header.token_bytes, shard->header.token_bytes);
    // Opening does not read the tokens, so that large sets open at once: they are checked here.
    require(id >= 0 && id < vocabulary_, ErrorKind::data, "shards",
            "{}: token {} has id {}, the vocabulary has {}", shard->file.path().string(), i, id,
            vocabulary_);
    ids.push_back(id);
  }
}

}  // namespace tenfold::data
