// Fuzz target: token shards; the bytes up to the first NUL are shards.json, the rest is the shard.
// Not here: rows for training.
#include "data/shards.h"
#include "target.h"

namespace tenfold::fuzz {

const char* const kFormat = "shards";

void read(std::string_view bytes) {
  const size_t cut = std::min(bytes.find('\0'), bytes.size());
  put_file("shards.json", bytes.substr(0, cut));
  put_file("shard-00000.bin", bytes.substr(std::min(cut + 1, bytes.size())));
  const auto whole = [] { data::ShardSet::open(scratch_folder(), data::Verify::checksums); };
  allows({ErrorKind::data}, whole);
  const auto shards = data::ShardSet::open(scratch_folder(), data::Verify::sizes);
  std::vector<int32_t> ids;
  for (int64_t d = 0; d < shards.documents(); ++d) {
    promise(shards.length(d) > 0, "no document is empty");
    shards.read(d, 0, shards.length(d), ids);
  }
  promise(ids.size() == shards.tokens(), "the documents are all the tokens");
  for (int32_t id : ids) {
    promise(id >= 0 && id < shards.vocabulary_size(), "ids are of the vocabulary");
  }
}

}  // namespace tenfold::fuzz
