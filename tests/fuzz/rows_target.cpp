// Fuzz target: rows and documents as JSON lines, tab and comma separated columns, plain and
// compressed. Not here: tokenisation.
#include "data/readers.h"
#include "data/task.h"
#include "target.h"

namespace tenfold::fuzz {
namespace {

void read_documents(const std::filesystem::path& path, data::TextLayout layout, bool skip_bad) {
  data::ReaderOptions options;
  options.layout = layout;
  options.skip_bad = skip_bad;
  data::DocumentReader reader({path}, options);
  while (const auto text = reader.next()) promise(!text->empty(), "no document is empty");
}

}  // namespace

const char* const kFormat = "rows";

void read(std::string_view bytes) {
  const auto jsonl = put_file("rows.jsonl", bytes);
  for (const auto layout : {data::TextLayout::jsonl, data::TextLayout::paragraph,
                            data::TextLayout::wikiextractor, data::TextLayout::line}) {
    allows({ErrorKind::data}, [&] { read_documents(jsonl, layout, true); });
  }
  allows({ErrorKind::data}, [&] { read_documents(jsonl, data::TextLayout::jsonl, false); });
  data::TaskColumns skip;
  skip.skip_bad = true;
  for (const char* name : {"rows.tsv", "rows.csv"}) {
    const auto path = put_file(name, bytes);
    allows({ErrorKind::data}, [&] { data::read_task(path, skip, data::Labels::optional); });
    allows({ErrorKind::data}, [&] { data::read_task(path, {}, data::Labels::required); });
  }
  data::read_task(jsonl, {}, data::Labels::required);
}

}  // namespace tenfold::fuzz
