// Reading that goes on where an earlier one stood, and layouts told from the text.
// Not here: single layouts (readers_test.cpp).
#include <sys/stat.h>

#include <chrono>
#include <map>
#include <thread>

#include "corpus_folder.h"
#include "data/readers.h"
#include "data/shards.h"
#include "golden.h"
#include "packed_text.h"

namespace tenfold::data {
namespace {

using Documents = std::vector<std::string>;

class Resume : public CorpusFolder {
 protected:
  static Documents rest_of(DocumentReader& reader) {
    Documents documents;
    while (auto document = reader.next()) documents.push_back(*document);
    return documents;
  }
  /// One file of every packing and layout.
  std::vector<std::filesystem::path> inputs() const {
    const std::string blocks = "\xEF\xBB\xBFone\r\ntwo\r\n\r\nthree\r\nfour\r\n\r\nfive";
    return {write("a.txt", "x\n\ny\nz\n\n"),
            write("b.gz", gzip_member("p q\nr\n") + gzip_member("s\n\nt u\n")),
            write("c.jsonl", "{\"text\":\"j\"}\n{\"text\":\"k\\nl\"}\n"),
            write("d.zst", zstd_frame("<doc id=1>\nT\n\nbody\n</doc>\n<doc id=2>\nU\n</doc>\n")),
            write("e.txt", blocks),
            write("f.txt", "")};
  }
};

TEST_F(Resume, GoesOnFromEveryDocument) {
  const auto files = inputs();
  DocumentReader whole(files, {});
  std::vector<std::string> points{whole.point()};
  Documents all;
  while (auto document = whole.next()) {
    all.push_back(*document);
    points.push_back(whole.point());
  }
  ASSERT_EQ(all.size(), 11u);
  for (size_t at = 0; at < points.size(); ++at) {
    DocumentReader again(files, {});
    again.resume(points[at]);
    EXPECT_EQ(again.documents(), static_cast<int64_t>(at));
    EXPECT_EQ(rest_of(again), Documents(all.begin() + static_cast<std::ptrdiff_t>(at), all.end()))
        << points[at];
    EXPECT_EQ(again.documents(), static_cast<int64_t>(all.size()));
  }
}

TEST_F(Resume, RefusesInputsThatChanged) {
  auto files = inputs();
  DocumentReader reader(files, {});
  for (int i = 0; i < 6; ++i) reader.next();
  const std::string point = reader.point();
  const auto refusal = [&](const ReaderOptions& options = {}) {
    return message_of([&] { DocumentReader(files, options).resume(point); });
  };
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(refusal({.skip_bad = true}), "");
  EXPECT_NE(refusal({.layout = TextLayout::line}).find("layout line, begun with auto"),
            std::string::npos);
  EXPECT_NE(refusal({.text_key = "body"}).find("text key 'body', begun with 'text'"),
            std::string::npos);
  const auto time = std::filesystem::last_write_time(files[0]);
  std::filesystem::last_write_time(files[0], time + std::chrono::seconds(1));
  EXPECT_NE(refusal().find("a.txt changed (it was written to since)"), std::string::npos);
  write("a.txt", "X\n\ny\nz\n\n");
  std::filesystem::last_write_time(files[0], time);
  EXPECT_NE(refusal().find("a.txt changed (its first bytes differ)"), std::string::npos);
  write("a.txt", "x\n");
  EXPECT_NE(refusal().find("a.txt changed (2 bytes, then 8)"), std::string::npos);
  files.pop_back();
  EXPECT_NE(refusal().find("5 inputs, begun with 6"), std::string::npos);
  for (const char* damaged : {"", "{}", "[1]", "{\"file\":7}"}) {
    EXPECT_NE(message_of([&] {
                DocumentReader(files, {}).resume(damaged);
              }).find("do not say where reading stood"),
              std::string::npos);
  }
}

TEST_F(Resume, ComparesTheTextOfPipesWhenItIsReadAgain) {
  const auto path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto feed = [&](const std::string& text) {
    return std::thread([=] { std::ofstream(path, std::ios::binary) << text; });
  };
  std::string point;
  {
    std::thread writer = feed("a\nb\nc\n");
    DocumentReader reader({path}, {});
    reader.next();
    reader.next();
    point = reader.point();
    rest_of(reader);
    writer.join();
  }
  for (const char* text : {"a\nb\nc\n", "a\nB\nc\n", "a\n"}) {
    std::thread writer = feed(text);
    const std::string refusal = message_of([&] {
      DocumentReader reader({path}, {});
      reader.resume(point);
      EXPECT_EQ(rest_of(reader), (Documents{"c"}));
    });
    writer.join();
    if (std::string(text) == "a\nb\nc\n") {
      EXPECT_EQ(refusal, "");
    } else {
      EXPECT_NE(refusal.find("the first 4 bytes of text are not those read before"),
                std::string::npos)
          << refusal;
    }
  }
}

TEST_F(Resume, ShardsOfAKilledReadingComeOutTheSame) {
  const Tokenizer tokenizer = counting_tokenizer();
  std::string text;
  for (int i = 0; i < 300; ++i) text += "w" + std::to_string(i % 40) + " w1\n";
  const auto input = write("t.txt", text);
  const auto prepare = [&](const std::filesystem::path& out, int64_t documents) {
    DocumentReader reader({input}, {});
    ShardWriter writer(out, tokenizer, 70);
    const int64_t done = writer.documents_done();
    if (done > 0) reader.resume(writer.reading_point());
    writer.keep_reading_point([&] { return reader.point(); });
    std::vector<int32_t> ids;
    while (const auto document = reader.next()) {
      if (reader.documents() > documents) return done;
      ids.clear();
      tokenizer.encode_ids_into(*document, ids, SpecialText::plain);
      writer.add(ids);
    }
    writer.finish();
    return done;
  };
  prepare(folder_ / "whole", 1000);
  EXPECT_EQ(prepare(folder_ / "cut", 100), 0);
  EXPECT_EQ(prepare(folder_ / "cut", 200), 70);
  EXPECT_EQ(prepare(folder_ / "cut", 1000), 175);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "whole")) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(bytes_of(entry.path()), bytes_of(folder_ / "cut" / entry.path().filename()));
  }
}

TEST(Layout, IsToldFromTheNameAndTheBeginning) {
  EXPECT_EQ(layout_of("a.txt", "\xEF\xBB\xBF\n<doc id=\"1\">\n"), TextLayout::wikiextractor);
  EXPECT_EQ(layout_of("a.jsonl.zst", "{}\n"), TextLayout::jsonl);
  EXPECT_EQ(layout_of("a.txt", ""), TextLayout::line);
  EXPECT_EQ(layout_of("a.txt", "a\nb\nc\n\n"), TextLayout::line);  // no line behind the blank one
  EXPECT_EQ(layout_of("a.txt", "a\n\nb\n \nc\n"), TextLayout::line);  // a document a line, apart
  EXPECT_EQ(layout_of("a.txt", "a\r\nb\r\n\r\nc\r\n"), TextLayout::paragraph);
  std::string lines;
  for (int i = 0; i < 49; ++i) lines += "text\n";
  EXPECT_EQ(layout_of("a.txt", lines + "\nlast\n"), TextLayout::paragraph);
  EXPECT_EQ(layout_of("a.txt", lines + "one more\n\nlast\n"), TextLayout::line);
}

TEST(Layout, OfRealTextIsTheDocumentedOne) {
  TENFOLD_NEEDS_SHARED();
  const std::map<std::string, TextLayout> files{
      {"wikipedia/wiki-3.txt.zst", TextLayout::wikiextractor},
      {"wikinews/valid.jsonl.zst", TextLayout::jsonl},
      {"wikitext2/valid.txt.zst", TextLayout::paragraph},
      {"novels/Doyle_Lost_1912.txt.zst", TextLayout::paragraph},
      {"novels/Conrad_Nostromo_1904.txt.zst", TextLayout::line}};
  for (const auto& [name, layout] : files) {
    const auto path = testing::shared_path("data/" + name);
    TextLines lines(path);
    EXPECT_EQ(layout_of(path, lines.peek(64 << 10)), layout) << name;
  }
}

}  // namespace
}  // namespace tenfold::data
