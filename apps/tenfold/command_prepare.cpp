// `tenfold prepare`: text into token shards, or WordNet into the files of a task.
// Not here: the shard format (data/shards.h).
#include "command.h"
#include "corpus.h"
#include "data/shards.h"
#include "data/wordnet.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

struct PrepareArguments {
  CorpusArguments corpus;
  std::filesystem::path vocabulary, out;
  uint64_t shard_tokens = 16'000'000;
};

int prepare_task(const PrepareArguments& arguments, const std::string& kind, Program& program) {
  const auto rows = data::write_wordnet_task(kind, arguments.corpus.wordnet, arguments.out);
  program.terminal.info("{} train, {} dev, {} test rows in {}", rows[0], rows[1], rows[2],
                        arguments.out.string());
  return 0;
}

int prepare_shards(const PrepareArguments& arguments, Program& program) {
  require(!arguments.vocabulary.empty(), ErrorKind::usage, "prepare",
          "--vocab DIR is needed: the folder that tenfold vocab made");
  const Tokenizer tokenizer = Tokenizer::load(arguments.vocabulary);
  data::DocumentReader reader = open_corpus(arguments.corpus, arguments.out / "corpus");
  data::ShardWriter writer(arguments.out, tokenizer, arguments.shard_tokens);
  const int64_t done = writer.documents_done();
  if (done > 0) {
    reader.resume(writer.reading_point());
    program.terminal.info("going on after {} documents", done);
  }
  writer.keep_reading_point([&reader] { return reader.point(); });
  std::vector<int32_t> ids;
  while (const auto document = reader.next()) {
    ids.clear();
    tokenizer.encode_ids_into(*document, ids, SpecialText::plain);
    writer.add(ids);
    program.terminal.update({.task = "prepare", .done = reader.documents(), .unit = "document"});
  }
  writer.finish();
  program.terminal.finish();
  program.terminal.info("{} documents, {} tokens in {}", writer.documents(),
                        human_count(static_cast<double>(writer.tokens())), arguments.out.string());
  if (reader.bad_rows() > 0)
    program.terminal.warn("{} bad rows skipped: {}", reader.bad_rows(), reader.first_bad());
  return 0;
}

}  // namespace

void add_prepare(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<PrepareArguments>();
  CLI::App* command =
      app.add_subcommand("prepare", "turn text into token shards, or WordNet into a task's files");
  add_corpus_arguments(*command, arguments->corpus,
                       "made from WordNet instead: " + join(wordnet_tasks(), ", "));
  command->add_option("--vocab", arguments->vocabulary, "folder of the vocabulary");
  command->add_option("--out", arguments->out, "folder to write")->required();
  command->add_option("--shard-tokens", arguments->shard_tokens, "tokens of one shard file")
      ->check(whole_number(1))
      ->capture_default_str();
  command->footer(
      "A killed run goes on where it was: give the same command again. Inputs that changed "
      "meanwhile are refused;\n"
      "plain files are not read twice, compressed ones and pipes up to the place.\n"
      "--layout auto: wikiextractor where the text begins with '<doc ', else jsonl for names in "
      ".jsonl, else paragraph\n"
      "where the first 64 KiB have at least one blank line for 50 lines of text and lines that "
      "follow each other\n"
      "without one, else line.\n"
      "--task wordnet-text makes shards; the other tasks write train, dev and test files:\n"
      "  category, is-a, similarity, choice, contrastive  .jsonl\n"
      "  tagging                                          .conll, a word and its tag a line\n"
      "  span                                             .json, as SQuAD 2.0\n\n"
      "Example:\n  tenfold prepare --input wiki.txt.zst --vocab vocab --out shards");
  command->callback([=, &program] {
    program.action = [=, &program] {
      const std::string& task = arguments->corpus.task;
      check_corpus(arguments->corpus, wordnet_tasks());
      if (task.empty() || task == kTextTask) return prepare_shards(*arguments, program);
      return prepare_task(*arguments, task.substr(std::string("wordnet-").size()), program);
    };
  });
}

}  // namespace tenfold::app
