// Where the parts of a row stand in the files of well-known tasks.
// Not here: reading them (task_reading.cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/task.h"

namespace tenfold::data {

enum class TaskContainer : uint8_t {
  columns,  ///< tabs, no quoting
  commas,   ///< with quoting
  objects,  ///< JSON lines
  plain,    ///< texts, or pairs with a tab
  prefix,   ///< the label, a blank, the text
  aligned,  ///< one file for each part
};

/// Names or numbers of columns; empty: found out, or not there.
struct TaskPlaces {
  std::string_view text, pair, label;
};

struct TaskFormat {
  std::string_view name;
  TaskContainer container;
  TaskPlaces headed;                         ///< where the first line is a header
  TaskPlaces bare = {};                      ///< where there is none
  LabelKind kind = LabelKind::one;           ///< `score` where the label is a number
  std::vector<std::string_view> words = {};  ///< the labels there are; empty: any
};

/// The format named `name`; of "auto", the one the file's name tells. Error{config} with the
/// nearest name.
TaskFormat task_format(const std::string& name, const std::filesystem::path& path);

}  // namespace tenfold::data
