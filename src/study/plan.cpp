// Enumerating variants, and hashing what makes a run what it is.
// Not here: reading recipes.
#include "study/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "support/checksum.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::study {
namespace {

constexpr size_t kHashInName = 10;  // of 32 digits; the whole hash stands in the run's record

constexpr size_t kMostCombinations = 10'000;

/// What a run is before it has a place in the plan.
struct Draft {
  PlannedRun run;
  std::string parent;  // hash of the pre-training; empty: none
};

std::vector<std::string> stages_of(const StudyFile& file) {
  std::vector<std::string> stages;
  if (!file.pretrain.recipe.empty()) stages.emplace_back(kPretrain);
  if (!file.tasks.empty()) stages.emplace_back(kFinetune);
  for (const Task& task : file.tasks) stages.push_back(task.name);
  stages.insert(stages.end(), file.skipped.begin(), file.skipped.end());
  return stages;
}

struct StageOverride {
  std::string stage, assignment;
};

StageOverride parse_override(const std::string& text, const std::vector<std::string>& stages) {
  const size_t dot = text.find('.');
  const std::string stage = text.substr(0, dot);
  const bool known = std::find(stages.begin(), stages.end(), stage) != stages.end();
  require(known && dot != std::string::npos, ErrorKind::config, "axes",
          "'{}' must begin with a stage, one of {}{}", text, join(stages, ", "),
          did_you_mean(stage, stages));
  return {stage, text.substr(dot + 1)};
}

/// The lines that make a run what it is. Whatever changes them changes every hash.
std::string identity(const StudyFile& file, Command command,
                     const std::vector<config::FlatField>& fields, const std::string& start,
                     const std::filesystem::path& test) {
  std::vector<std::string> lines;
  for (const config::FlatField& field : fields) {
    // Where a run is computed is not what it is.
    if (field.path == "train.device" || field.path == "train.share_cores") continue;
    lines.push_back(field.path + " = " + field.value);
  }
  std::sort(lines.begin(), lines.end());
  std::string text = fmt::format("tenfold study run 1\ncommand {}\nstart {}\ntest {}\n",
                                 name_of(command), start, test.string());
  for (const std::string& line : lines) text += line + "\n";
  // Prepared data are known by how they are made, so that studies in other folders agree.
  if (text.find(kDataMark) != std::string::npos) {
    for (const std::string& made_by : file.prepare) text += "prepare " + made_by + "\n";
  }
  return text;
}

class Planner {
 public:
  Planner(const StudyFile& file, const ReadConfig& read)
      : file_(file), read_(read), stages_(stages_of(file)) {}

  Plan plan() {
    const std::vector<Variant> all = variants_of(file_);
    std::map<std::string, size_t> by_runs;
    std::vector<std::vector<std::string>> hashes;  // [variant][seed, task]
    for (const Variant& variant : all) {
      std::vector<std::string> own;
      for (const int64_t seed : file_.seeds) {
        for (const std::string& hash : draft_seed(variant, seed)) own.push_back(hash);
      }
      const auto [same, fresh] = by_runs.emplace(join(own, " "), plan_.variants.size());
      if (fresh) {
        plan_.variants.push_back(variant);
        hashes.push_back(own);
      } else {
        plan_.variants[same->second].also.push_back(variant.label);
      }
    }
    place_all(hashes);
    return std::move(plan_);
  }

 private:
  std::vector<std::string> overrides_for(const std::vector<std::string>& own,
                                         const Variant& variant,
                                         const std::vector<std::string>& stages,
                                         std::optional<int64_t> seed) const {
    std::vector<std::string> overrides = own;
    for (const std::string& text : variant.set) {
      const StageOverride parsed = parse_override(text, stages_);
      if (std::find(stages.begin(), stages.end(), parsed.stage) != stages.end())
        overrides.push_back(parsed.assignment);
    }
    if (seed) overrides.push_back(fmt::format("train.seed={}", *seed));
    return overrides;
  }

  /// Hash of the run, which is kept as a draft.
  std::string draft(PlannedRun run, const std::string& start, const std::string& parent,
                    const std::filesystem::path& test) {
    const auto fields = read_(run.command, run.recipe, run.overrides);
    run.fresh = std::any_of(fields.begin(), fields.end(), [](const config::FlatField& field) {
      return field.path == "from_scratch" && field.value == "true";
    });
    run.hash = xxh3_128(identity(file_, run.command, fields, start, test)).hex();
    const std::string hash = run.hash;
    drafts_.emplace(hash, Draft{std::move(run), parent});
    return hash;
  }

  /// Hashes of the runs whose figures the variant shows for this seed, task by task.
  std::vector<std::string> draft_seed(const Variant& variant, int64_t seed) {
    std::string start = "model " + file_.model.string();
    std::string parent;
    if (!file_.pretrain.recipe.empty()) {
      const bool own_seed = file_.pretrain.per_seed || file_.tasks.empty();
      PlannedRun run;
      run.recipe = file_.pretrain.recipe;
      run.seed = own_seed ? seed : 0;
      run.overrides = overrides_for(file_.pretrain.set, variant, {kPretrain},
                                    own_seed ? std::optional(seed) : std::nullopt);
      parent = draft(std::move(run), "", "", "");
      start = "run " + parent;
    }
    if (file_.tasks.empty()) return {parent};
    std::vector<std::string> hashes;
    for (size_t t = 0; t < file_.tasks.size(); ++t) {
      const Task& task = file_.tasks[t];
      PlannedRun run;
      run.command = Command::finetune;
      run.recipe = task.recipe;
      run.task = t;
      run.seed = seed;
      run.overrides = overrides_for(task.set, variant, {kFinetune, task.name}, seed);
      hashes.push_back(draft(std::move(run), start, parent, task.test));
    }
    return hashes;
  }

  void place_all(const std::vector<std::vector<std::string>>& hashes) {
    const size_t columns = std::max<size_t>(1, file_.tasks.size());
    for (size_t s = 0; s < file_.seeds.size(); ++s) {
      for (size_t v = 0; v < plan_.variants.size(); ++v) {
        for (size_t t = 0; t < columns; ++t) {
          const size_t run = place(hashes[v][s * columns + t], v);
          plan_.cells.push_back({.variant = v, .task = t, .seed = file_.seeds[s], .run = run});
        }
      }
    }
  }

  size_t place(const std::string& hash, size_t variant) {
    if (const auto there = places_.find(hash); there != places_.end()) return there->second;
    const Draft& draft = drafts_.at(hash);
    PlannedRun run = draft.run;
    if (!draft.parent.empty()) run.parent = place(draft.parent, variant);
    run.variant = variant;
    const bool fine_tunes = run.command == Command::finetune;
    run.name = fmt::format("{}-{}{}-{}", fine_tunes ? file_.tasks[run.task].name : kPretrain,
                           slug(plan_.variants[variant].label),
                           run.seed > 0 ? fmt::format("-seed{}", run.seed) : "",
                           hash.substr(0, kHashInName));
    plan_.runs.push_back(std::move(run));
    return places_[hash] = plan_.runs.size() - 1;
  }

  const StudyFile& file_;
  const ReadConfig& read_;
  const std::vector<std::string> stages_;
  std::map<std::string, Draft> drafts_;
  std::map<std::string, size_t> places_;
  Plan plan_;
};

}  // namespace

std::string Variant::shown() const {
  return also.empty() ? label : fmt::format("{} ({})", label, join(also, "; "));
}

std::vector<Variant> variants_of(const StudyFile& file) {
  std::vector<Variant> variants{{.label = "baseline"}};
  if (file.axes.empty()) return variants;
  if (file.mode == Mode::one_at_a_time) {
    for (const Axis& axis : file.axes) {
      for (const AxisGroup& choice : axis.choices()) {
        variants.push_back({.label = axis.shown_name() + ": " + choice.label, .set = choice.set});
      }
    }
    return variants;
  }
  size_t count = 1;
  for (const Axis& axis : file.axes) {
    count *= std::max<size_t>(1, axis.choices().size());
    require(count <= kMostCombinations, ErrorKind::config, "axes",
            "the grid has more than {} combinations", kMostCombinations);
  }
  std::vector<Variant> combinations{{}};
  for (const Axis& axis : file.axes) {
    std::vector<Variant> longer;
    for (const Variant& before : combinations) {
      for (const AxisGroup& choice : axis.choices()) {
        Variant next = before;
        next.label += (next.label.empty() ? "" : ", ") + axis.shown_name() + ": " + choice.label;
        next.set.insert(next.set.end(), choice.set.begin(), choice.set.end());
        longer.push_back(std::move(next));
      }
    }
    combinations = std::move(longer);
  }
  variants.insert(variants.end(), combinations.begin(), combinations.end());
  return variants;
}

std::string name_of(Command command) {
  return command == Command::pretrain ? "pretrain" : "finetune";
}

Plan make_plan(const StudyFile& file, const ReadConfig& read) { return Planner(file, read).plan(); }

std::string slug(std::string_view label, size_t longest) {
  std::string out;
  for (const char c : label) {
    const char small = lower_ascii(c);
    if ((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '.') {
      out += small;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() == longest) break;
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  return out;
}

}  // namespace tenfold::study
