// Shards written, resumed, damaged; rows cut from them.
// Not here: the command that writes them (tests/cli).
#include "data/shards.h"

#include <set>

#include "corpus_folder.h"
#include "data/example_source.h"
#include "support/rng.h"

namespace tenfold::data {
namespace {

using Ids = std::vector<int32_t>;

class Shards : public CorpusFolder {
 protected:
  /// Document d has d % 7 tokens: every seventh is empty.
  static Ids document(int d) {
    Ids ids;
    for (int i = 0; i < d % 7; ++i) ids.push_back(5 + (d * 3 + i) % 40);
    return ids;
  }
  void fill(ShardWriter& writer, int from, int to) const {
    for (int d = from; d < to; ++d) writer.add(document(d));
  }
  Tokenizer tokenizer_ = counting_tokenizer();
};

TEST_F(Shards, GiveBackWhatWasWritten) {
  ShardWriter writer(folder_ / "s", tokenizer_, 50);
  fill(writer, 0, 100);
  writer.finish();
  const ShardSet set = ShardSet::open(folder_ / "s", Verify::checksums);
  EXPECT_EQ(set.documents(), 85);
  EXPECT_EQ(set.vocabulary_size(), 55);
  int64_t at = 0;
  for (int d = 0; d < 100; ++d) {
    const Ids wanted = document(d);
    if (wanted.empty()) continue;
    Ids ids;
    set.read(at, 0, set.length(at), ids);
    EXPECT_EQ(ids, wanted) << d;
    ++at;
  }
}

TEST_F(Shards, AKilledWriterGoesOnToTheSameBytes) {
  ShardWriter whole(folder_ / "a", tokenizer_, 50);
  fill(whole, 0, 100);
  whole.finish();
  for (const int kill : {3, 40, 77, 99}) {
    const auto out = folder_ / ("b" + std::to_string(kill));
    {
      ShardWriter first(out, tokenizer_, 50);
      fill(first, 0, kill);
      if (kill > 30) {
        EXPECT_NE(message_of([&] { ShardSet::open(out); }).find("not finished"), std::string::npos);
      }
    }
    ShardWriter again(out, tokenizer_, 50);
    fill(again, static_cast<int>(again.documents_done()), 100);
    again.finish();
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "a")) {
      if (!entry.is_regular_file()) continue;
      EXPECT_EQ(bytes_of(entry.path()), bytes_of(out / entry.path().filename()));
      ++files;
    }
    EXPECT_GT(files, 3);
  }
}

TEST_F(Shards, RefuseAnEmptyCorpusAnotherVocabularyAndAFinishedFolder) {
  ShardWriter empty(folder_ / "e", tokenizer_);
  EXPECT_NE(message_of([&] { empty.finish(); }).find("the corpus is empty"), std::string::npos);
  ShardWriter writer(folder_ / "s", tokenizer_);
  fill(writer, 0, 20);
  writer.finish();
  EXPECT_NE(message_of([&] { ShardWriter(folder_ / "s", tokenizer_); }).find("finished"),
            std::string::npos);
  const Tokenizer other = Tokenizer::wordpiece({"[UNK]", "[CLS]", "[SEP]", "a"});
  EXPECT_NE(message_of([&] { ShardWriter(folder_ / "s", other); }).find("another vocabulary"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              ShardRows(ShardSet::open(folder_ / "s"), other, {}, Part::training);
            }).find("another vocabulary"),
            std::string::npos);
  EXPECT_NE(message_of([&] { ShardSet::open(folder_ / "none"); }).find("shards.json"),
            std::string::npos);
}

TEST_F(Shards, TotalsThatAreNotThoseOfTheFilesAreRefused) {
  ShardWriter writer(folder_ / "s", tokenizer_, 50);
  fill(writer, 0, 100);
  writer.finish();
  const std::string index = bytes_of(folder_ / "s" / "shards.json");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = index;
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write("s/shards.json", changed.replace(at, from.size(), to));
    return message_of([&] { ShardSet::open(folder_ / "s"); });
  };
  EXPECT_EQ(with("\"documents\": 100", "\"documents\": 85"), "");
  EXPECT_NE(with("\"documents\": 100", "\"documents\": 84").find("the files hold 85 of 295"),
            std::string::npos);
  EXPECT_NE(with("\"tokens\": 295", "\"tokens\": 296").find("of 296 tokens in all"),
            std::string::npos);
  EXPECT_NE(with("    \"shard-00001.bin\",\n", "").find("but the files hold"), std::string::npos);
}

TEST_F(Shards, VocabulariesBeyondSixteenBitsKeepTheirIds) {
  std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (int i = 0; tokens.size() < 70000; ++i) tokens.push_back("w" + std::to_string(i));
  for (const int32_t size : {65536, 65537, 70000}) {
    const Tokenizer tokenizer =
        Tokenizer::wordpiece(std::vector<std::string>(tokens.begin(), tokens.begin() + size));
    const auto out = folder_ / std::to_string(size);
    const std::vector<Ids> documents{{5, size - 1, 65535}, {size - 2}, {65535, 32768, 0}};
    ShardWriter writer(out, tokenizer, 4);
    for (const Ids& ids : documents) writer.add(ids);
    writer.finish();
    EXPECT_EQ(bytes_of(out / "shard-00000.bin").at(8), size > 65536 ? 4 : 2);
    const ShardSet set = ShardSet::open(out, Verify::checksums);
    ASSERT_EQ(set.documents(), 3);
    for (int64_t d = 0; d < 3; ++d) {
      Ids ids;
      set.read(d, 0, set.length(d), ids);
      EXPECT_EQ(ids, documents[static_cast<size_t>(d)]) << size;
    }
  }
}

TEST_F(Shards, EveryTruncationIsRefused) {
  ShardWriter writer(folder_ / "s", tokenizer_);
  fill(writer, 0, 20);
  writer.finish();
  const std::string whole = bytes_of(folder_ / "s" / "shard-00000.bin");
  for (size_t length = 0; length < whole.size(); ++length) {
    write("s/shard-00000.bin", whole.substr(0, length));
    EXPECT_NE(message_of([&] { ShardSet::open(folder_ / "s"); }).find("shard-00000.bin"),
              std::string::npos);
  }
  write("s/shard-00000.bin", whole + "x");
  EXPECT_NE(message_of([&] { ShardSet::open(folder_ / "s"); }), "");
}

TEST_F(Shards, NoBitFlipCrashesAndChecksumsFindThoseInTheBody) {
  ShardWriter writer(folder_ / "s", tokenizer_);
  fill(writer, 0, 60);
  writer.finish();
  const std::string whole = bytes_of(folder_ / "s" / "shard-00000.bin");
  std::fstream file(folder_ / "s" / "shard-00000.bin",
                    std::ios::binary | std::ios::in | std::ios::out);
  RandomStream draw(1, "flips");
  for (int flip = 0; flip < 10000; ++flip) {
    const uint64_t bit = draw.below(whole.size() * 8);
    const auto put = [&](int damage) {
      file.seekp(static_cast<std::streamoff>(bit / 8));
      file.put(static_cast<char>(whole[bit / 8] ^ damage)).flush();
    };
    put(1 << (bit % 8));
    message_of([&] {
      const ShardSet set = ShardSet::open(folder_ / "s");
      Ids ids;
      for (int64_t d = 0; d < set.documents(); ++d) set.read(d, 0, set.length(d), ids);
    });
    if (bit / 8 >= 64) {
      EXPECT_NE(message_of([&] { ShardSet::open(folder_ / "s", Verify::checksums); }), "") << bit;
    }
    put(0);
  }
}

TEST_F(Shards, RowsCoverEveryTokenOnceAndPartsAreApart) {
  ShardWriter writer(folder_ / "s", tokenizer_);
  fill(writer, 0, 400);
  writer.finish();
  const ShardSet set = ShardSet::open(folder_ / "s");
  const RowOptions options{.max_length = 5, .min_length = 1, .held_out = 0.2};
  const ShardRows training(set, tokenizer_, options, Part::training);
  const ShardRows held_out(set, tokenizer_, options, Part::held_out);
  std::set<uint64_t> ids;
  int64_t tokens = 0;
  for (const ShardRows* rows : {&training, &held_out}) {
    for (int64_t i = 0; i < rows->size(); ++i) {
      const Example row = rows->get(i);
      const auto& sequence = row.sequences.at("tokens");
      EXPECT_EQ(sequence.front(), tokenizer_.cls_id());
      EXPECT_EQ(sequence.back(), tokenizer_.sep_id());
      EXPECT_LE(sequence.size(), 5u);
      EXPECT_EQ(rows->tokens_of(i), static_cast<int64_t>(sequence.size()));
      EXPECT_TRUE(ids.insert(row.id).second);
      tokens += static_cast<int64_t>(sequence.size()) - 2;
    }
  }
  EXPECT_EQ(tokens, static_cast<int64_t>(set.tokens()));
  EXPECT_NEAR(static_cast<double>(held_out.size()) / static_cast<double>(ids.size()), 0.2, 0.1);
}

}  // namespace
}  // namespace tenfold::data
