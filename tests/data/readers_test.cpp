// Documents from every layout and packing, and what is said of files that are wrong.
// Not here: shards.
#include "data/readers.h"

#include "corpus_folder.h"
#include "golden.h"
#include "packed_text.h"

namespace tenfold::data {
namespace {

using Documents = std::vector<std::string>;

Documents all_documents(const std::filesystem::path& path, const ReaderOptions& options = {}) {
  DocumentReader reader({path}, options);
  Documents documents;
  while (auto document = reader.next()) documents.push_back(*document);
  return documents;
}

std::string many_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "line number " + std::to_string(i * 7919) + "\n";
  return text;
}

class Readers : public CorpusFolder {};

TEST_F(Readers, LinesLoseTheMarkTheReturnAndBlankOnes) {
  EXPECT_EQ(all_documents(write("a.txt", "\xEF\xBB\xBFone\r\n\r\n \ntwo")),
            (Documents{"one", "two"}));
}

TEST_F(Readers, ParagraphsAndWikiBlocksKeepTheirLines) {
  EXPECT_EQ(all_documents(write("p.txt", "\n\na\nb\n\n\nc\n"), {.layout = TextLayout::paragraph}),
            (Documents{"a\nb", "c"}));
  EXPECT_EQ(all_documents(write(
                "w.txt", "<doc id=\"1\">\nTitle\n\ntext\n</doc>\n<doc id=\"2\">\nB\n</doc>\n")),
            (Documents{"Title\ntext", "B"}));
}

TEST_F(Readers, JsonRowsAreFoundUnderTheirKeyAndBadOnesNamed) {
  EXPECT_EQ(all_documents(write("a.jsonl", "{\"body\":\"x\\ny\"}\n"), {.text_key = "body"}),
            (Documents{"x\ny"}));
  const auto path =
      write("b.jsonl",
            "{\"text\":\"a\"}\n{\"text\":1}\n{broken\n{\"text\":\"\xFF\"}\n{\"text\":\"z\"}\n");
  EXPECT_NE(message_of([&] { all_documents(path); }).find("b.jsonl:2: no text under 'text'"),
            std::string::npos);
  DocumentReader reader({path}, {.skip_bad = true});
  while (reader.next()) {
  }
  EXPECT_EQ(reader.documents(), 2);
  EXPECT_EQ(reader.bad_rows(), 3);
  EXPECT_NE(reader.first_bad().find("b.jsonl:2:"), std::string::npos);
}

TEST_F(Readers, PackedFilesGiveTheSameDocumentsWhateverTheirMembers) {
  const std::string text = many_lines(60000);
  const Documents plain = all_documents(write("t.txt", text));
  ASSERT_EQ(plain.size(), 60000u);
  const size_t cut = text.size() / 3;
  EXPECT_EQ(all_documents(
                write("t.gz", gzip_member(text.substr(0, cut)) + gzip_member(text.substr(cut)))),
            plain);
  EXPECT_EQ(
      all_documents(write("t.zst", zstd_frame(text.substr(0, cut)) + zstd_frame(text.substr(cut)))),
      plain);
}

TEST_F(Readers, ZstdBehindTheLastInputIsStillGiven) {
  for (size_t size = 120000; size < 600000; size += 30011) {
    const std::string text(size, 'x');
    EXPECT_EQ(all_documents(write("run.zst", zstd_frame(text))), (Documents{text}));
  }
}

TEST_F(Readers, CutOffAndDamagedPackingIsRefused) {
  const std::string text = many_lines(5000);
  for (const std::string& packed : {gzip_member(text), zstd_frame(text)}) {
    for (const size_t length : {packed.size() / 2, packed.size() - 1}) {
      const auto path = write("cut.bin", packed.substr(0, length));
      EXPECT_NE(message_of([&] { all_documents(path); }).find("cut off"), std::string::npos)
          << length;
    }
    std::string damaged = packed;
    for (size_t i = packed.size() / 2; i < packed.size() / 2 + 40; ++i) damaged[i] = '\x5A';
    const auto path = write("bad.bin", damaged);
    message_of([&] { all_documents(path); });  // an Error or other text, never a crash
  }
}

TEST_F(Readers, MissingFilesAndFoldersAreNamed) {
  EXPECT_NE(
      message_of([&] { DocumentReader({folder_ / "no.txt"}, {}); }).find("no.txt does not exist"),
      std::string::npos);
  EXPECT_NE(message_of([&] { all_documents(folder_); }).find("is a folder"), std::string::npos);
  EXPECT_TRUE(all_documents(write("empty.txt", "")).empty());
}

TEST_F(Readers, RealFilesGiveTheDocumentedCounts) {
  TENFOLD_NEEDS_SHARED();
  EXPECT_EQ(all_documents(testing::shared_path("data/wikipedia/wiki-3.txt.zst")).size(), 649u);
  EXPECT_EQ(all_documents(testing::shared_path("data/wikinews/valid.jsonl.zst")).size(), 700u);
}

}  // namespace
}  // namespace tenfold::data
