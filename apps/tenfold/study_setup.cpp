// Reading the study and its recipes.
// Not here: enumerating runs (study/plan.h) or counting (study/cost.h).
#include "study_setup.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "config/reader.h"
#include "model/checkpoint.h"
#include "study/cost.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"
#include "support/strings.h"
#include "training.h"

namespace tenfold::app {
namespace {

constexpr uint64_t kLongestStudy = 256 << 10;
constexpr uint64_t kLongestShardIndex = 64 << 20;
constexpr int64_t kGuessedVocabulary = 30'000;  // where it is not made yet

/// Every override of the study as it stands in the file.
std::vector<std::string> overrides_in(const study::StudyFile& file) {
  std::vector<std::string> all = file.pretrain.set;
  for (const study::Task& task : file.tasks) {
    all.insert(all.end(), task.set.begin(), task.set.end());
  }
  for (const study::Axis& axis : file.axes) {
    if (!axis.path.empty()) all.push_back(axis.path);
    for (const study::AxisGroup& group : axis.groups)
      all.insert(all.end(), group.set.begin(), group.set.end());
  }
  return all;
}

/// "study.toml:12" of the first override in the file that the message speaks of; empty: none does.
std::string place_of_override(const std::string& message, const study::StudyFile& file,
                              const std::filesystem::path& path) {
  const std::string text = read_file(path, kLongestStudy, ErrorKind::config);
  for (const std::string& written : overrides_in(file)) {
    const std::string path_part = written.substr(0, written.find('='));
    const std::string without_stage = path_part.substr(path_part.find('.') + 1);
    const bool meant = message.find(written) != std::string::npos ||
                       message.find("--set " + path_part) != std::string::npos ||
                       message.find("--set " + without_stage + "=") != std::string::npos;
    const size_t at = text.find(path_part);
    if (!meant || at == std::string::npos) continue;
    return fmt::format("{}:{}", path.string(),
                       1 + std::count(text.begin(), text.begin() + static_cast<int64_t>(at), '\n'));
  }
  return "";
}

template <typename Recipe>
Recipe recipe_of(const StudySetup& setup, const study::PlannedRun& run, DataMark mark,
                 const Program& program) {
  RunArguments arguments;
  arguments.config = run.recipe;
  arguments.overrides = run.overrides;
  if (mark == DataMark::replaced) {
    for (std::string& text : arguments.overrides) text = setup.arguments.with_data(text);
  }
  return load_recipe<Recipe>(arguments, program);
}

double tokens_of(const train::TrainOptions& options) {
  return static_cast<double>(options.steps) * static_cast<double>(options.batch_tokens) *
         static_cast<double>(options.accumulate);
}

/// Tokens that prepared shards know; a guess where they are not made yet.
int64_t vocabulary_of(const PretrainRecipe& recipe) {
  if (recipe.model.vocab_size > 0) return recipe.model.vocab_size;
  const auto index = recipe.data.shards / "shards.json";
  std::error_code missing;
  if (!std::filesystem::is_regular_file(index, missing)) return kGuessedVocabulary;
  const auto json = try_parse_json(read_file(index, kLongestShardIndex)).value;
  const auto found = json.find("vocabulary");
  return found != json.end() && found->is_number_integer() ? found->get<int64_t>()
                                                           : kGuessedVocabulary;
}

/// Of the tokens, the share that the objective predicts: its "probability" where it has one.
double predicted_share(const PretrainRecipe& recipe) {
  const std::string key = "objective." + recipe.objective.kind + ".probability";
  for (const config::FlatField& field : config::flatten(recipe)) {
    double share = 1;
    if (field.path == key &&
        std::from_chars(field.value.data(), field.value.data() + field.value.size(), share).ec ==
            std::errc())
      return share;
  }
  return 1;
}

Estimate estimate_pretraining(const PretrainRecipe& recipe) {
  model::EncoderConfig shape = recipe.model;
  shape.vocab_size = vocabulary_of(recipe);
  const double tokens = tokens_of(recipe.train);
  const study::Passed passed{.tokens = tokens,
                             .attended = tokens * static_cast<double>(recipe.data.rows.max_length),
                             .predicted = tokens * predicted_share(recipe)};
  return {tokens, study::training_flops(shape, passed)};
}

Estimate estimate_finetuning(const FinetuneRecipe& recipe, const model::EncoderConfig& shape) {
  const double tokens = tokens_of(recipe.train);
  const study::Passed passed{.tokens = tokens,
                             .attended = tokens * static_cast<double>(recipe.data.max_length)};
  return {tokens, study::training_flops(shape, passed)};
}

std::vector<Estimate> estimate_all(const StudySetup& setup, const Program& program) {
  std::vector<Estimate> estimates;
  std::vector<model::EncoderConfig> shapes(setup.plan.runs.size());  // of pre-trainings
  model::EncoderConfig given;
  if (!setup.file.model.empty()) given = model::read_description(setup.file.model).encoder;
  for (const study::PlannedRun& run : setup.plan.runs) {
    if (run.command == study::Command::pretrain) {
      const PretrainRecipe recipe = pretrain_recipe(setup, run, DataMark::replaced, program);
      shapes[estimates.size()] = recipe.model;
      estimates.push_back(estimate_pretraining(recipe));
    } else {
      estimates.push_back(
          estimate_finetuning(finetune_recipe(setup, run, DataMark::replaced, program),
                              run.parent ? shapes[*run.parent] : given));
    }
  }
  return estimates;
}

study::Plan plan_of(const StudySetup& setup, const Program& program) {
  std::map<std::string, std::vector<config::FlatField>> known;
  return study::make_plan(setup.file, [&](study::Command command, const auto& recipe,
                                          const std::vector<std::string>& overrides) {
    const std::string key =
        study::name_of(command) + "\n" + recipe.string() + "\n" + join(overrides, "\n");
    if (const auto found = known.find(key); found != known.end()) return found->second;
    study::PlannedRun run;
    run.recipe = recipe;
    run.overrides = overrides;
    return known[key] = command == study::Command::pretrain
                            ? config::flatten(pretrain_recipe(setup, run, DataMark::kept, program))
                            : config::flatten(finetune_recipe(setup, run, DataMark::kept, program));
  });
}

}  // namespace

std::string StudyArguments::with_data(std::string text) const {
  const std::string mark = study::kDataMark;
  const std::string folder = data_folder().string();
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    text.replace(at, mark.size(), folder);
    at += folder.size();
  }
  return text;
}

PretrainRecipe pretrain_recipe(const StudySetup& setup, const study::PlannedRun& run, DataMark mark,
                               const Program& program) {
  return recipe_of<PretrainRecipe>(setup, run, mark, program);
}

FinetuneRecipe finetune_recipe(const StudySetup& setup, const study::PlannedRun& run, DataMark mark,
                               const Program& program) {
  return recipe_of<FinetuneRecipe>(setup, run, mark, program);
}

StudySetup set_up_study(const StudyArguments& arguments, const Program& program) {
  StudySetup setup{.arguments = arguments,
                   .file = config::load<study::StudyFile>(arguments.file, arguments.overrides),
                   .plan = {},
                   .estimates = {}};
  if (!arguments.tasks.empty()) setup.file.keep_tasks(arguments.tasks);
  try {
    setup.plan = plan_of(setup, program);
  } catch (const Error& error) {
    const std::string place = place_of_override(error.what(), setup.file, arguments.file);
    if (place.empty()) throw;
    // "[where] message" becomes "[where] message (study.toml:12)".
    const std::string_view text = error.what();
    const size_t end = text.find("] ");
    fail(error.kind(), text.substr(1, end - 1), "{} ({})", text.substr(end + 2), place);
  }
  setup.estimates = estimate_all(setup, program);
  return setup;
}

}  // namespace tenfold::app
